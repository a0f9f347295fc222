// SPDX-License-Identifier: Apache-2.0
// Generated loops against the table's kernels, one operation after the other, under every target.
#include "penstock/kernel/generate.h"

#include <algorithm>
#include <random>

#include "gtest/gtest.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

DType result_of(const Recipe::Step& step) { return penstock::result_of(step.op, step.dtype); }

/// What a recipe is run on: n elements of each input and room for each output.
struct Data {
  std::vector<Operand> inputs;
  std::vector<Operand> outputs;
  std::vector<const void*> in;
  std::vector<void*> out;

  Data(const Recipe& recipe, std::int64_t n, std::int64_t skew) {
    std::uint64_t seed = 1;
    for (const Recipe::Input& input : recipe.inputs) {
      const std::int64_t count = input.single ? 1 : n;
      inputs.emplace_back(count, size_of(input.dtype), skew);
      fill_values(input.dtype, inputs.back().data(), count, ++seed * 31);
    }
    for (const int output : recipe.outputs) {
      const auto step = recipe.steps[static_cast<std::size_t>(output) - recipe.inputs.size()];
      outputs.emplace_back(n, size_of(result_of(step)), skew);
    }
    for (Operand& each : inputs) in.push_back(each.data());
    for (Operand& each : outputs) out.push_back(each.data());
  }
};

/// The recipe's outputs by the table's kernels.
std::vector<Operand> by_table(const Recipe& recipe, const Data& data, std::int64_t n) {
  std::vector<Operand> values;
  for (std::size_t k = 0; k < recipe.inputs.size(); ++k) {
    const std::int64_t size = size_of(recipe.inputs[k].dtype);
    Operand all(n, size);
    const auto* from = static_cast<const std::byte*>(data.in[k]);
    for (std::int64_t i = 0; i < n; ++i)
      std::memcpy(all.as<std::byte>() + i * size, from + (recipe.inputs[k].single ? 0 : i * size),
                  static_cast<std::size_t>(size));
    values.push_back(std::move(all));
  }
  for (const Recipe::Step& step : recipe.steps) {
    const void* in[kMaxArity] = {};
    for (int k = 0; k < row(step.op).arity; ++k) in[k] = values[static_cast<std::size_t>(step.inputs[k])].data();
    Operand result(n, size_of(result_of(step)));
    table().elementwise[index_of(step.op)][index_of(step.dtype)](in, result.data(), n);
    values.push_back(std::move(result));
  }
  std::vector<Operand> outputs;
  for (const int output : recipe.outputs) outputs.push_back(values[static_cast<std::size_t>(output)]);
  return outputs;
}

void expect_same(const Recipe& recipe, const std::string& name) {
  ASSERT_TRUE(fits_registers(recipe)) << name;
  const std::shared_ptr<const Generated> loop = generate(recipe);
  ASSERT_NE(loop, nullptr) << name;
  for (const std::int64_t n : {0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 67, 259}) {
    for (const std::int64_t skew : {0, 1}) {
      for (const bool streams : {false, true}) {
        Data data(recipe, n, skew);
        const std::vector<Operand> expected = by_table(recipe, data, n);
        loop->run(data.in.data(), data.out.data(), n, streams);
        for (std::size_t k = 0; k < recipe.outputs.size(); ++k) {
          const DType dtype =
              result_of(recipe.steps[static_cast<std::size_t>(recipe.outputs[k]) - recipe.inputs.size()]);
          ASSERT_EQ(difference(dtype, data.outputs[k].data(), expected[k].data(), n), "")
              << name << ", n " << n << ", skew " << skew << ", streams " << streams;
          ASSERT_TRUE(data.outputs[k].intact()) << name << " writes outside its result";
        }
      }
    }
  }
  table().fence();
}

Recipe of_one(Op op, DType dtype) {
  Recipe recipe;
  recipe.steps.push_back({op, dtype, {-1, -1, -1}});
  for (int k = 0; k < row(op).arity; ++k) {
    recipe.inputs.push_back({op == Op::k_where && k == 0 ? DType::k_bool : dtype, false});
    recipe.steps[0].inputs[k] = k;
  }
  recipe.outputs = {row(op).arity};
  return recipe;
}

/// f(op, dtype) for all that is generated on the target in use.
template <class F>
void for_generated(const F& f) {
  for (int op = 0; op < kOpCount; ++op) {
    for (int t = 0; t < kDTypeCount; ++t) {
      if (is_generated(static_cast<Op>(op), static_cast<DType>(t))) f(static_cast<Op>(op), static_cast<DType>(t));
    }
  }
}

bool makes_code(const Table& table) { return std::string_view(table.target).substr(0, 3) == "avx"; }

TEST(Generate, TheUsualOperationsOfFloatsAreThereOnAvx) {
  for_targets([](const Table& table) {
    for (const DType dtype : {DType::k_float32, DType::k_float64}) {
      for (const Op op : {Op::k_add, Op::k_subtract, Op::k_multiply, Op::k_divide, Op::k_sqrt, Op::k_maximum,
                          Op::k_less, Op::k_where, Op::k_floor, Op::k_isfinite})
        EXPECT_EQ(is_generated(op, dtype), makes_code(table)) << row(op).name << " under " << table.target;
      EXPECT_FALSE(is_generated(Op::k_exp, dtype));
    }
  });
}

TEST(Generate, EachOperationGivesTheBitsOfItsKernel) {
  for_targets([](const Table& table) {
    for_generated([&](Op op, DType dtype) {
      expect_same(of_one(op, dtype), cat(row(op).name, " of ", name_of(dtype), " under ", table.target));
    });
  });
}

TEST(Generate, SingleElementsStandForAll) {
  for_targets([](const Table& table) {
    for_generated([&](Op op, DType dtype) {
      for (int k = 0; k < row(op).arity; ++k) {
        Recipe recipe = of_one(op, dtype);
        recipe.inputs[static_cast<std::size_t>(k)].single = true;
        expect_same(recipe, cat(row(op).name, " of ", name_of(dtype), " with one element as operand ", k, " under ",
                                table.target));
      }
    });
  });
}

/// Random recipes over one lane width, with several outputs and values used more than once.
Recipe random_recipe(std::mt19937_64& random, const std::vector<std::pair<Op, DType>>& known) {
  Recipe recipe;
  std::vector<DType> values;
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::int64_t width = pick(2) == 0 ? 4 : 8;
  const auto held = [&](DType dtype) { return dtype == DType::k_bool || lane_bytes(dtype) == width; };
  std::vector<std::pair<Op, DType>> usable;
  std::copy_if(known.begin(), known.end(), std::back_inserter(usable),
               [&](const auto& each) { return held(each.second); });
  // One input of the width, so that it is clear from the start.
  for (int t = 0; t < kDTypeCount; ++t) {
    if (!held(static_cast<DType>(t))) continue;
    recipe.inputs.push_back({static_cast<DType>(t), pick(3) == 0});
    values.push_back(static_cast<DType>(t));
  }
  const std::size_t first = width == 4 ? static_cast<std::size_t>(index_of(DType::k_float32))
                                       : static_cast<std::size_t>(index_of(DType::k_float64));
  recipe.steps.push_back({Op::k_add, static_cast<DType>(first), {}});
  const std::size_t steps = 1 + pick(12);
  for (std::size_t i = 0; i < steps; ++i) {
    Recipe::Step step = recipe.steps.back();
    if (i > 0) std::tie(step.op, step.dtype) = usable[pick(usable.size())];
    if (i == 0) recipe.steps.clear();
    for (int k = 0; k < kMaxArity; ++k) {
      step.inputs[k] = -1;
      if (k >= row(step.op).arity) continue;
      const DType wanted = step.op == Op::k_where && k == 0 ? DType::k_bool : step.dtype;
      std::vector<int> fitting;
      for (std::size_t v = 0; v < values.size(); ++v) {
        if (values[v] == wanted) fitting.push_back(static_cast<int>(v));
      }
      step.inputs[k] = fitting[pick(fitting.size())];
    }
    recipe.steps.push_back(step);
    values.push_back(result_of(step));
    if (i + 1 == steps || pick(5) == 0) recipe.outputs.push_back(static_cast<int>(values.size()) - 1);
  }
  return recipe;
}

TEST(Generate, RandomRecipesGiveTheBitsOfTheKernels) {
  for_targets([](const Table& table) {
    std::vector<std::pair<Op, DType>> known;
    for_generated([&](Op op, DType dtype) { known.emplace_back(op, dtype); });
    if (known.empty()) return;
    std::mt19937_64 random(7);
    for (int i = 0; i < 300; ++i) {
      const Recipe recipe = random_recipe(random, known);
      if (!fits_registers(recipe)) continue;
      expect_same(recipe, cat("random recipe ", i, " under ", table.target));
    }
  });
}

TEST(Generate, SingleElementsThatFindNoRegisterAreFetchedForEachStep) {
  for_targets([](const Table& table) {
    if (!makes_code(table)) return;
    for (const DType dtype : {DType::k_float32, DType::k_float64, DType::k_int32}) {
      for (const int singles : {5, 12, 40, 70}) {
        // x = x * c1 + c2 * c3 ..., each constant used twice, some by one step.
        Recipe recipe;
        recipe.inputs.push_back({dtype, false});
        for (int i = 0; i < singles; ++i) recipe.inputs.push_back({dtype, true});
        int last = 0;
        int next = singles + 1;
        for (int i = 1; i < singles; ++i) {
          recipe.steps.push_back({i % 3 == 0 ? Op::k_subtract : Op::k_add, dtype, {last, i, -1}});
          last = next++;
          recipe.steps.push_back({Op::k_maximum, dtype, {i, i + 1, -1}});
          recipe.steps.push_back({Op::k_add, dtype, {next, last, -1}});
          last = ++next;
          ++next;
        }
        recipe.outputs = {last};
        if (recipe.steps.size() > 150) recipe.steps.resize(150), recipe.outputs = {singles + 150};
        expect_same(recipe, cat(singles, " single elements of ", name_of(dtype), " under ", table.target));
      }
    }
  });
}

TEST(Generate, TooManyValuesDoNotFit) {
  for_targets([](const Table& table) {
    if (!makes_code(table)) return;
    Recipe recipe = of_one(Op::k_add, DType::k_float32);
    EXPECT_TRUE(fits_registers(recipe));
    // Sums of pairs that all wait for the end, and more operands than there are pointers.
    for (int i = 0; i < 10; ++i) recipe.inputs.push_back({DType::k_float32, false});
    recipe.steps[0].inputs[0] = 11;
    recipe.outputs = {12};
    EXPECT_FALSE(fits_registers(recipe));
    Recipe wide = of_one(Op::k_add, DType::k_float32);
    for (int i = 1; i < 60; ++i) wide.steps.push_back({Op::k_add, DType::k_float32, {i + 1, 0, -1}});
    int last = 61;
    for (int i = 0; i < 60; ++i) {
      wide.steps.push_back({Op::k_add, DType::k_float32, {last, 2 + i, -1}});
      last = 62 + i;
    }
    wide.outputs = {last};
    EXPECT_FALSE(fits_registers(wide));
  });
}

TEST(Generate, ARecipeIsMadeOnce) {
  for_targets([](const Table& table) {
    if (!makes_code(table)) return;
    EXPECT_EQ(generate(of_one(Op::k_add, DType::k_float32)), generate(of_one(Op::k_add, DType::k_float32)));
    EXPECT_NE(generate(of_one(Op::k_add, DType::k_float32)), generate(of_one(Op::k_add, DType::k_float64)));
  });
}

}  // namespace
}  // namespace penstock::kernel
