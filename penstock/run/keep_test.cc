// SPDX-License-Identifier: Apache-2.0
// Results that are read more than once: in memory or in scratch files, with the same elements.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "penstock/base/temporary_directory.h"
#include "penstock/memory/governor.h"
#include "penstock/run/keep.h"
#include "penstock/run/settings.h"
#include "penstock/run/sort.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kBudget = 4 << 20;
constexpr std::int64_t kMany = 1'000'003;

bool lies_in_file(const graph::Node& node) { return node.as<graph::InFile>() != nullptr; }

class KeepTest : public ::testing::Test {
 protected:
  graph::NodeRef file(const Plain& x) { return file_node(directory_.put("x.npy", npy_text(x))); }

  TemporaryDirectory directory_;
  EnvSetting scratch_{"PENSTOCK_SCRATCH", directory_.path("")};
};

TEST_F(KeepTest, InMemoryWhereThereIsRoom) {
  const graph::NodeRef sum = graph::make_elementwise(
      Op::k_add, {node_of(numbers(DType::k_float32, {5})), node_of(numbers(DType::k_float32, {5}))});
  EXPECT_EQ(keep(sum), sum);
  EXPECT_NE(sum->in_memory(), nullptr);
}

TEST_F(KeepTest, InAScratchFileWhereThereIsNone) {
  for (const DType dtype : {DType::k_bool, DType::k_float32, DType::k_complex128}) {
    const Plain x = numbers(dtype, {kMany});
    const graph::NodeRef flipped = graph::make_view(file(x), {graph::View::Type::kFlip, {}, {0}, {}});
    const graph::NodeRef node = graph::make_elementwise(Op::k_not_equal, {flipped, node_of(x)});
    graph::NodeRef kept;
    {
      const BudgetSetting budget(memory::Governor::instance().used() + (1 << 20));
      kept = keep(node);
    }
    EXPECT_TRUE(lies_in_file(*kept)) << name_of(dtype);
    EXPECT_EQ(difference(evaluated(kept), evaluated(node)), "") << name_of(dtype);
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path("")), {}), 1);  // x.npy
}

TEST_F(KeepTest, OperatorsAreComputedOnceForAllWhoReadThem) {
  const Plain x = random_plain(DType::k_float32, {1, kMany}, 3);
  const graph::NodeRef sorted = graph::make_operator(
      DType::k_float32, {1, kMany}, make_sort(Sorted::kValues, DType::k_float32, 1, kMany, false), {file(x)});
  const graph::NodeRef line = graph::make_view(sorted, {graph::View::Type::kReshape, {}, {}, {kMany}});
  {
    const BudgetSetting budget(memory::Governor::instance().used() + kBudget);
    EXPECT_EQ(keep(line), line);
  }
  EXPECT_TRUE(lies_in_file(*sorted));
  const Plain got = evaluated(line);
  EXPECT_TRUE(std::is_sorted(got.as<float>(), got.as<float>() + kMany,
                             [](float a, float b) { return a < b || (b != b && a == a); }));
}

TEST_F(KeepTest, FilesAreReadWhereTheyAre) {
  const graph::NodeRef x = file(numbers(DType::k_float64, {kMany}));
  const BudgetSetting budget(memory::Governor::instance().used() + kBudget);
  EXPECT_EQ(keep(x), x);
  EXPECT_TRUE(lies_in_file(*x));
}

TEST_F(KeepTest, CollectorsTakePiecesOfAnyLength) {
  constexpr std::int64_t kPiece = 50'000;
  for (const bool roomy : {true, false}) {
    graph::NodeRef node;
    {
      const BudgetSetting budget(memory::Governor::instance().used() + (roomy ? 64 << 20 : kBudget));
      Collector collector(DType::k_int64, kMany, "numbers");
      EXPECT_EQ(collector.in_memory(), roomy);
      while (collector.taken() < kMany) {
        const std::int64_t first = collector.taken();
        const std::int64_t n = std::min({first + 1, kPiece, kMany - first});
        auto* room = reinterpret_cast<std::int64_t*>(collector.room(n));
        for (std::int64_t i = 0; i < n; ++i) room[i] = first + i;
        collector.take(n);
      }
      node = collector.finish();
    }
    EXPECT_EQ(lies_in_file(*node), !roomy);
    const Plain got = evaluated(node);
    for (std::int64_t i = 0; i < kMany; ++i) ASSERT_EQ(got.as<std::int64_t>()[i], i);
  }
}

TEST_F(KeepTest, CollectorsOfFewElementsGoToAFileWhereTheBudgetIsUsedUp) {
  const BudgetSetting budget(memory::Governor::instance().used() + (16 << 10));
  Collector collector(DType::k_int64, 8'000, "numbers");
  EXPECT_FALSE(collector.in_memory());
  EXPECT_THROW(collector.room(8'000), BudgetError);
  for (std::int64_t first = 0; first < 8'000; first += 1'000) {
    auto* room = reinterpret_cast<std::int64_t*>(collector.room(1'000));
    for (std::int64_t i = 0; i < 1'000; ++i) room[i] = first + i;
    collector.take(1'000);
  }
  EXPECT_TRUE(lies_in_file(*collector.finish()));
}

}  // namespace
}  // namespace penstock::run
