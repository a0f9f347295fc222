// SPDX-License-Identifier: Apache-2.0
#include "penstock/simd/target.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "penstock/base/error.h"
#include "penstock/base/level.h"

namespace penstock::simd {
namespace {

class TargetTest : public ::testing::Test {
 protected:
  void TearDown() override {
    force_target(std::nullopt);
    set_level(Level::kFull);
  }
};

TEST_F(TargetTest, ScalarIsFirstAndEveryNameLeadsBack) {
  ASSERT_FALSE(targets().empty());
  EXPECT_EQ(targets().front(), Target::kScalar);
  EXPECT_TRUE(std::is_sorted(targets().begin(), targets().end()));
  for (const Target each : targets()) EXPECT_EQ(target_from_name(target_name(each)), each);
}

TEST_F(TargetTest, ForcingHoldsUntilReleased) {
  const Target usual = target();
  for (const Target each : targets()) {
    force_target(each);
    EXPECT_EQ(target(), each);
  }
  force_target(std::nullopt);
  EXPECT_EQ(target(), usual);
}

TEST_F(TargetTest, LevelsWithoutSimdAreScalarWhateverIsForced) {
  force_target(targets().back());
  set_level(Level::kNone);
  EXPECT_EQ(target(), Target::kScalar);
  set_level(Level::kParallel);
  EXPECT_EQ(target(), Target::kScalar);
  set_level(Level::kSimd);
  EXPECT_EQ(target(), targets().back());
}

TEST_F(TargetTest, AnUnknownNameIsRefusedWithTheMachinesNames) {
  try {
    target_from_name("avx9");
    FAIL() << "avx9 was accepted";
  } catch (const ArgumentError& error) {
    EXPECT_NE(std::string(error.what()).find("avx9"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("scalar"), std::string::npos);
  }
}

TEST_F(TargetTest, AForeignTargetIsRefused) {
#if defined(__x86_64__)
  EXPECT_THROW(force_target(Target::kNeon), ArgumentError);
#else
  EXPECT_THROW(force_target(Target::kAvx2), ArgumentError);
#endif
}

TEST_F(TargetTest, FeaturesCoverTheTargets) {
  const auto features = cpu_features();
  const auto has = [&](std::string_view name) {
    return std::find(features.begin(), features.end(), name) != features.end();
  };
  for (const Target each : targets()) {
    EXPECT_TRUE(each != Target::kSse4 || (has("sse4.2")));
    EXPECT_TRUE(each != Target::kAvx2 || (has("avx2") && has("fma")));
    EXPECT_TRUE(each != Target::kAvx3 || (has("avx512f") && has("avx512bw")));
    EXPECT_TRUE(each != Target::kNeon || (has("neon")));
  }
}

#if defined(PENSTOCK_ONE_TARGET) && defined(__x86_64__)
TEST_F(TargetTest, ABuildForOneTargetHasAvx2) {
  const auto features = cpu_features();
  if (std::find(features.begin(), features.end(), "avx2") == features.end()) GTEST_SKIP() << "this CPU has no AVX2";
  EXPECT_EQ(targets(), (std::vector{Target::kScalar, Target::kAvx2}));
}
#endif

}  // namespace
}  // namespace penstock::simd
