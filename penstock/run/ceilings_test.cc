// SPDX-License-Identifier: Apache-2.0
// Ceilings: every name gives figures that a machine could have, and mistakes are told.
#include "penstock/run/ceilings.h"

#include "gtest/gtest.h"
#include "penstock/base/expect_error.h"

namespace penstock::run {
namespace {

TEST(Ceilings, EveryNameGivesPlausibleRates) {
  for (const std::string& name : ceiling_names()) {
    const std::vector<double> rates = ceiling_rates(name, 1 << 16, 1, 1e-3, 3);
    ASSERT_EQ(rates.size(), 3u) << name;
    for (const double rate : rates) {
      // From an emulated processor to a thread of one ten times as fast as any.
      EXPECT_GT(rate, 1e5) << name;
      EXPECT_LT(rate, 1e14) << name;
    }
  }
}

TEST(Ceilings, ThreadsTogetherGiveOneFigureASample) {
  for (const char* name : {"read", "triad", "popcount"}) EXPECT_EQ(ceiling_rates(name, 1 << 20, 2, 1e-3, 4).size(), 4u);
}

TEST(Ceilings, TheSmallestSizeIsRaisedToAPage) { EXPECT_EQ(ceiling_rates("triad", 1, 1, 1e-4, 1).size(), 1u); }

TEST(Ceilings, MistakesAreTold) {
  EXPECT_ERROR(ArgumentError, "no ceiling is named 'speed'", ceiling_rates("speed", 1, 1, 1, 1));
  EXPECT_ERROR(ArgumentError, "positive; got 0", ceiling_rates("read", 0, 1, 1, 1));
  EXPECT_ERROR(ArgumentError, "positive", ceiling_rates("read", 1, 0, 1, 1));
  EXPECT_ERROR(ArgumentError, "positive", ceiling_rates("read", 1, 1, 0, 1));
  EXPECT_ERROR(ArgumentError, "positive", ceiling_rates("read", 1, 1, 1, 0));
}

}  // namespace
}  // namespace penstock::run
