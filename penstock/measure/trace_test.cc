// SPDX-License-Identifier: Apache-2.0
// Spans are recorded while a trace runs and only then, with their names, threads and times.
#include "penstock/measure/trace.h"

#include <regex>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace penstock::measure {
namespace {

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(Trace, HoldsTheSpansThatRanMeanwhile) {
  { const Span before("before"); }
  start_trace();
  {
    const Span outer("compute \"tile\"");
    const Span inner("read");
  }
  const std::string text = stop_trace();
  { const Span after("after"); }
  EXPECT_EQ(count(text, "\"ph\": \"X\""), 2u) << text;
  EXPECT_EQ(count(text, "\"name\": \"read\""), 1u) << text;
  EXPECT_EQ(count(text, "\"name\": \"compute \\\"tile\\\"\""), 1u) << text;
  EXPECT_EQ(count(text, "before") + count(text, "after"), 0u) << text;
  EXPECT_EQ(count(text, "\"dropped\": 0"), 1u) << text;
}

TEST(Trace, AKnownSleepIsMeasured) {
  start_trace();
  {
    const Span span("sleep");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const std::string text = stop_trace();
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex("\"dur\": ([0-9.]+)")));
  EXPECT_GE(std::stod(found[1]), 5000.0) << text;
}

TEST(Trace, ThreadsAreToldApartAndLoseNothing) {
  start_trace();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 500; ++i) const Span span("write");
      });
    }
  }
  const std::string text = stop_trace();
  EXPECT_EQ(count(text, "\"name\": \"write\""), 2000u);
  std::size_t threads = 0;
  for (int t = 1; t < 64; ++t) threads += count(text, "\"tid\": " + std::to_string(t) + ",") == 500;
  EXPECT_EQ(threads, 4u);
}

TEST(Trace, ASpanBegunBeforeItIsLeftOut) {
  start_trace();
  {
    const Span early("early");
    stop_trace();
    start_trace();
  }
  EXPECT_EQ(stop_trace(), "{\"traceEvents\": [], \"dropped\": 0}\n");
}

TEST(Trace, WithoutSpansItIsEmpty) { EXPECT_EQ(stop_trace(), "{\"traceEvents\": [], \"dropped\": 0}\n"); }

}  // namespace
}  // namespace penstock::measure
