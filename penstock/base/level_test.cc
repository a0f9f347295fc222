// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/level.h"

#include <gtest/gtest.h>

#include <string>

#include "penstock/base/error.h"

namespace penstock {
namespace {

class LevelTest : public ::testing::Test {
 protected:
  void TearDown() override { set_level(before_); }
  Level before_ = get_level();
};

TEST_F(LevelTest, EachLevelSwitchesItsTechniques) {
  const struct {
    Level level;
    bool simd;
    bool parallel;
    bool memory;
  } kRows[] = {{Level::kNone, false, false, false},
               {Level::kSimd, true, false, false},
               {Level::kParallel, false, true, false},
               {Level::kFull, true, true, true}};
  for (const auto& row : kRows) {
    set_level(row.level);
    EXPECT_EQ(get_level(), row.level);
    EXPECT_EQ(simd_enabled(), row.simd) << level_name(row.level);
    EXPECT_EQ(parallel_enabled(), row.parallel) << level_name(row.level);
    EXPECT_EQ(memory_opt_enabled(), row.memory) << level_name(row.level);
  }
}

TEST_F(LevelTest, NamesGoBothWays) {
  for (const char* name : {"none", "simd", "parallel", "full"}) EXPECT_STREQ(level_name(level_from_name(name)), name);
}

TEST_F(LevelTest, AnUnknownNameIsAnsweredWithTheFour) {
  for (const char* name : {"", "Full", "fast", "full "}) {
    try {
      level_from_name(name);
      ADD_FAILURE() << "accepted '" << name << "'";
    } catch (const ArgumentError& error) {
      EXPECT_EQ(std::string(error.what()),
                "'" + std::string(name) + "' is no optimisation level; use none, simd, parallel or full");
    }
  }
}

}  // namespace
}  // namespace penstock
