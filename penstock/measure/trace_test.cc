// SPDX-License-Identifier: Apache-2.0
// Spans are recorded while a trace runs and only then, with their names, threads and times.
#include "penstock/measure/trace.h"

#include <sys/wait.h>
#include <unistd.h>

#include <regex>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "penstock/measure/span.h"

namespace penstock::measure {
namespace {

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(Trace, HoldsTheSpansThatRanMeanwhile) {
  { const Span before(Step::k_plan); }
  ASSERT_TRUE(start_trace());
  {
    const Span outer(Step::k_compute);
    const Span inner(Step::k_read);
  }
  const std::string text = stop_trace();
  { const Span after(Step::k_sync); }
  EXPECT_EQ(count(text, "\"ph\": \"X\""), 2u) << text;
  EXPECT_EQ(count(text, "\"name\": \"read\""), 1u) << text;
  EXPECT_EQ(count(text, "\"name\": \"compute\""), 1u) << text;
  EXPECT_EQ(count(text, "\"dropped\": 0"), 1u) << text;
}

TEST(Trace, AKnownSleepIsMeasured) {
  ASSERT_TRUE(start_trace());
  {
    const Span span(Step::k_compute);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const std::string text = stop_trace();
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex("\"dur\": ([0-9.]+)")));
  EXPECT_GE(std::stod(found[1]), 5000.0) << text;
}

TEST(Trace, ThreadsAreToldApartAndLoseNothing) {
  ASSERT_TRUE(start_trace());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 500; ++i) const Span span(Step::k_write);
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
  ASSERT_TRUE(start_trace());
  {
    const Span early(Step::k_read);
    stop_trace();
    ASSERT_TRUE(start_trace());
  }
  EXPECT_EQ(stop_trace(), "{\"traceEvents\": [], \"dropped\": 0}\n");
}

TEST(Trace, WithoutSpansItIsEmpty) { EXPECT_EQ(stop_trace(), "{\"traceEvents\": [], \"dropped\": 0}\n"); }

TEST(Trace, ASecondOneLeavesTheFirstAlone) {
  ASSERT_TRUE(start_trace());
  { const Span span(Step::k_read); }
  EXPECT_FALSE(start_trace());
  EXPECT_EQ(count(stop_trace(), "\"name\": \"read\""), 1u);
}

TEST(Trace, SpansBeyondTheMostAreCounted) {
  ASSERT_TRUE(start_trace(7));
  for (int i = 0; i < 10; ++i) const Span span(Step::k_compute);
  const std::string text = stop_trace();
  EXPECT_EQ(count(text, "\"name\""), 7u);
  EXPECT_EQ(count(text, "\"dropped\": 3}"), 1u);
}

TEST(Trace, AForkedChildStartsWithoutOne) {
  ASSERT_TRUE(start_trace());
  { const Span span(Step::k_read); }
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    { const Span span(Step::k_write); }
    const bool own = start_trace();
    { const Span span(Step::k_write); }
    _exit(own && count(stop_trace(), "\"name\"") == 1 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(count(stop_trace(), "\"name\": \"read\""), 1u);
}

}  // namespace
}  // namespace penstock::measure
