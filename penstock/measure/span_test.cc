// SPDX-License-Identifier: Apache-2.0
// Spans count what they last, for the steps that have latencies, whether a trace is recorded or not.
#include "penstock/measure/span.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace penstock::measure {
namespace {

/// Durations of `step` since `before`.
Counts since(const std::vector<std::pair<const char*, Counts>>& before, Step step) {
  const auto named = [&](const auto& all) {
    return std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.first == name_of(step); });
  };
  const auto now = latency_counts();
  Counts found = named(now)->second;
  found.subtract(named(before)->second);
  return found;
}

TEST(Span, AKnownSleepIsALatency) {
  const auto before = latency_counts();
  {
    const Span span(Step::k_sync);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const Counts counts = since(before, Step::k_sync);
  EXPECT_EQ(counts.n(), 1);
  EXPECT_GE(counts.percentile(1).value(), 0.99 * 5e6);
  EXPECT_EQ(since(before, Step::k_read).n(), 0);
}

TEST(Span, ThreadsCountExactly) {
  const auto before = latency_counts();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 12; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 1000; ++i) const Span span(Step::k_read);
      });
    }
  }
  EXPECT_EQ(since(before, Step::k_read).n(), 12000);
}

TEST(Span, EndsOnceAndCancelledNotAtAll) {
  const auto before = latency_counts();
  {
    Span ended(Step::k_write);
    ended.end();
    ended.end();
    Span cancelled(Step::k_write);
    cancelled.cancel();
  }
  EXPECT_EQ(since(before, Step::k_write).n(), 1);
}

TEST(Span, StepsWithoutLatenciesHaveNone) {
  for (const auto& [name, counts] : latency_counts()) {
    EXPECT_NE(std::string(name), name_of(Step::k_compute));
    EXPECT_GE(counts.n(), 0);
  }
  EXPECT_FALSE(has_latencies(Step::k_compute));
  EXPECT_EQ(latency_counts().size(), 5u);
}

}  // namespace
}  // namespace penstock::measure
