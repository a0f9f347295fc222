// SPDX-License-Identifier: Apache-2.0
// PENSTOCK_DEBUG_DELAY holds chunks of an evaluation up; no bit of its result depends on that.
#include <gtest/gtest.h>

#include "penstock/base/expect_error.h"
#include "penstock/measure/counters.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kSize = 1'000'000;

graph::NodeRef sum_of(const graph::NodeRef& x) { return graph::make_elementwise(Op::k_add, {x, x}); }

TEST(Delay, EveryKthChunkIsHeldUp) {
  const ThreadSetting two(2);
  const graph::NodeRef x = node_of(numbers(DType::k_float32, {kSize}));
  const Plain expected = evaluated(sum_of(x));
  const auto delays = [] { return measure::value(measure::Counter::k_delays); };
  std::int64_t found[2] = {};
  for (const int every : {1, 4}) {
    const EnvSetting setting("PENSTOCK_DEBUG_DELAY", cat("1us/", every));
    const std::int64_t before = delays();
    EXPECT_TRUE(evaluated(sum_of(x)).bytes == expected.bytes);
    found[every / 4] = delays() - before;
  }
  EXPECT_GE(found[0], 8);
  EXPECT_EQ(found[1], (found[0] + 3) / 4);
  const std::int64_t before = delays();
  evaluate({request_of(sum_of(x))});
  EXPECT_EQ(delays(), before);
}

TEST(Delay, WhatIsNoDelayIsAnError) {
  const graph::NodeRef x = node_of(numbers(DType::k_float32, {kSize}));
  const EnvSetting setting("PENSTOCK_DEBUG_DELAY", "often");
  EXPECT_ERROR(ArgumentError, "PENSTOCK_DEBUG_DELAY", evaluate({request_of(sum_of(x))}));
}

}  // namespace
}  // namespace penstock::run
