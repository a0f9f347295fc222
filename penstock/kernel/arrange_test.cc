// SPDX-License-Identifier: Apache-2.0
#include "penstock/kernel/arrange.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace penstock::kernel {
namespace {

/// A recipe of float64 over `inputs` arrays.
Recipe over(int inputs, std::vector<Recipe::Step> steps) {
  Recipe recipe;
  recipe.inputs.assign(static_cast<std::size_t>(inputs), {DType::k_float64, false});
  recipe.steps = std::move(steps);
  recipe.outputs = {inputs + static_cast<int>(recipe.steps.size()) - 1};
  return recipe;
}

std::vector<Op> operations(const Recipe& recipe) {
  std::vector<Op> found;
  for (const Recipe::Step& step : recipe.steps) found.push_back(step.op);
  return found;
}

TEST(Arrange, ChainsThatDoNotDependOnEachOtherTakeTurns) {
  // (a + a + a + a) * (b - b - b - b), one chain written after the other.
  const auto add = Op::k_add;
  const auto subtract = Op::k_subtract;
  const DType f64 = DType::k_float64;
  const Recipe recipe = over(2, {{add, f64, {0, 0, -1}},
                                 {add, f64, {2, 0, -1}},
                                 {add, f64, {3, 0, -1}},
                                 {subtract, f64, {1, 1, -1}},
                                 {subtract, f64, {5, 1, -1}},
                                 {subtract, f64, {6, 1, -1}},
                                 {Op::k_multiply, f64, {4, 7, -1}}});
  const Recipe turns = arranged(recipe);
  EXPECT_EQ(operations(turns), (std::vector<Op>{add, subtract, add, subtract, add, subtract, Op::k_multiply}));
  EXPECT_EQ(turns.outputs, recipe.outputs);
  EXPECT_EQ(turns.steps[2].inputs[0], 2);  // the first sum, and so on
  EXPECT_EQ(turns.steps[3].inputs[0], 3);
  EXPECT_EQ(turns.steps[6].inputs[0], 6);
  EXPECT_EQ(turns.steps[6].inputs[1], 7);
}

TEST(Arrange, WhatTakesLongBeginsFirst) {
  // (a + a) * (a - a) * sqrt(b)
  const DType f64 = DType::k_float64;
  const Recipe turns = arranged(over(2, {{Op::k_add, f64, {0, 0, -1}},
                                         {Op::k_subtract, f64, {0, 0, -1}},
                                         {Op::k_multiply, f64, {2, 3, -1}},
                                         {Op::k_sqrt, f64, {1, -1, -1}},
                                         {Op::k_multiply, f64, {4, 5, -1}}}));
  EXPECT_EQ(operations(turns),
            (std::vector<Op>{Op::k_sqrt, Op::k_add, Op::k_subtract, Op::k_multiply, Op::k_multiply}));
  EXPECT_EQ(turns.steps[1].inputs[0], 0);
  EXPECT_EQ(turns.steps[4].inputs[0], 5);
  EXPECT_EQ(turns.steps[4].inputs[1], 2);
}

TEST(Arrange, AChainKeepsItsOrderAndAllItsOutputs) {
  const DType f64 = DType::k_float64;
  Recipe recipe =
      over(1, {{Op::k_sqrt, f64, {0, -1, -1}}, {Op::k_add, f64, {1, 0, -1}}, {Op::k_divide, f64, {2, 1, -1}}});
  recipe.outputs = {3, 1};
  const Recipe same = arranged(recipe);
  EXPECT_EQ(operations(same), operations(recipe));
  EXPECT_EQ(same.outputs, recipe.outputs);
}

}  // namespace
}  // namespace penstock::kernel
