// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/donate.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/measure/counters.h"
#include "penstock/run/runner.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

using graph::NodeRef;

constexpr std::int64_t kSide = 300;

std::int64_t donations() { return measure::value(measure::Counter::k_donations); }

NodeRef constant(float value, const Dims& shape) { return graph::make_constant(graph::Scalar::of(value), shape); }

/// An evaluated result, 0, 1, 2, ... times `factor`: memory of Penstock's own.
NodeRef counting(float factor, const Dims& shape = {kSide, kSide}) {
  const NodeRef node = graph::make_elementwise(
      Op::k_multiply,
      {graph::make_iota(graph::Scalar::of(0.0F), graph::Scalar::of(1.0F), shape), constant(factor, shape)});
  evaluate({request_of(node)});
  return node;
}

NodeRef plus_one(const NodeRef& x) { return graph::make_elementwise(Op::k_add, {x, constant(1, x->shape)}); }
NodeRef view(const NodeRef& x, graph::View::Type type, std::vector<int> axes) {
  return graph::make_view(x, {type, {}, std::move(axes), {}});
}
NodeRef transposed(const NodeRef& x) { return view(x, graph::View::Type::kPermute, {1, 0}); }

const std::byte* address(const NodeRef& node) { return node->as<graph::InMemory>()->memory->data(); }
float at(const Plain& values, std::int64_t i) {
  float value = 0;
  std::memcpy(&value, values.at(i), sizeof value);
  return value;
}

template <class Expected>
void check(const NodeRef& node, const Expected& expected) {
  const Plain values = evaluated(node);
  for (std::int64_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(at(values, i), static_cast<float>(expected(i))) << "element " << i;
}

/// Evaluates and checks the elements against `expected(i)`; how many donations that took.
template <class Expected>
std::int64_t evaluate_and_check(const NodeRef& node, const Expected& expected) {
  const std::int64_t before = donations();
  check(node, expected);
  return donations() - before;
}

constexpr auto plus(std::int64_t more) {
  return [more](std::int64_t i) { return i + more; };
}

/// Each test twice: by the short way and by a plan, to which settings for tests of tiling keep every evaluation.
class Donate : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) planned_.emplace("PENSTOCK_DEBUG_OUTER", "1073741824");
  }

 private:
  std::optional<EnvSetting> planned_;
};

INSTANTIATE_TEST_SUITE_P(Ways, Donate, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "planned" : "direct"; });

TEST_P(Donate, AnOperandThatNobodyHoldsIsWrittenOver) {
  NodeRef x = counting(1);
  const std::byte* where = address(x);
  const NodeRef y = plus_one(plus_one(x));
  x = nullptr;
  EXPECT_EQ(evaluate_and_check(y, plus(2)), 1);
  EXPECT_EQ(address(y), where);
}

TEST_P(Donate, AHeldOperandIsNot) {
  const NodeRef x = counting(1);
  EXPECT_EQ(evaluate_and_check(plus_one(x), plus(1)), 0);
  EXPECT_EQ(evaluate_and_check(x, plus(0)), 0);
}

TEST_P(Donate, AHeldExpressionKeepsItsOperands) {
  NodeRef x = counting(1);
  const NodeRef inner = plus_one(x);
  const NodeRef y = plus_one(inner);
  x = nullptr;
  EXPECT_EQ(evaluate_and_check(y, plus(2)), 0);
  EXPECT_EQ(evaluate_and_check(inner, plus(1)), 1);
}

TEST_P(Donate, HeldMemoryIsNotWrittenOver) {
  NodeRef x = counting(1);
  const std::shared_ptr<memory::Memory> held = x->as<graph::InMemory>()->memory;
  const NodeRef y = plus_one(x);
  x = nullptr;
  EXPECT_EQ(evaluate_and_check(y, plus(1)), 0);
}

TEST_P(Donate, BorrowedMemoryIsNotWrittenOver) {
  EXPECT_EQ(evaluate_and_check(plus_one(node_of(numbers(DType::k_float32, {100'000}))),
                               [](std::int64_t i) { return static_cast<float>((i * 5 + 1) % 7) * 0.7F + 1; }),
            0);
}

TEST_P(Donate, AnOperandThatTheExpressionReadsTwiceIsWrittenOver) {
  NodeRef x = counting(1);
  const NodeRef y = graph::make_elementwise(Op::k_subtract, {graph::make_elementwise(Op::k_add, {plus_one(x), x}), x});
  x = nullptr;
  EXPECT_EQ(evaluate_and_check(y, plus(1)), 1);
}

TEST_P(Donate, TheFirstOperandThatMayBeIsWrittenOver) {
  const NodeRef held = counting(1);
  NodeRef x = counting(2);
  const NodeRef y = graph::make_elementwise(Op::k_subtract, {x, held});
  const std::byte* where = address(x);
  x = nullptr;
  EXPECT_EQ(evaluate_and_check(y, plus(0)), 1);
  EXPECT_EQ(address(y), where);
  EXPECT_EQ(evaluate_and_check(held, plus(0)), 0);
}

TEST_P(Donate, ElementsReadElsewhereAreNotWrittenOver) {
  NodeRef x = counting(1);
  const NodeRef both = graph::make_elementwise(Op::k_add, {x, transposed(x)});
  const NodeRef flipped = plus_one(view(counting(1), graph::View::Type::kFlip, {0, 1}));
  x = nullptr;
  const auto other = [](std::int64_t i) { return i % kSide * kSide + i / kSide; };
  EXPECT_EQ(evaluate_and_check(both, [&](std::int64_t i) { return i + other(i); }), 0);
  EXPECT_EQ(evaluate_and_check(flipped, [](std::int64_t i) { return kSide * kSide - i; }), 0);
  // A result that keeps its operand's order is written where each element was read.
  const NodeRef turned = plus_one(transposed(counting(1)));
  EXPECT_EQ(evaluate_and_check(turned, [&](std::int64_t i) { return other(i) + 1; }), 1);
}

TEST_P(Donate, OtherShapesAndItemsAreNotWrittenOver) {
  NodeRef row = counting(1, {kSide * kSide});
  const NodeRef wide = graph::make_elementwise(
      Op::k_add, {graph::make_view(row, {graph::View::Type::kBroadcast, {}, {}, {2, kSide * kSide}}),
                  constant(1, {2, kSide * kSide})});
  NodeRef x = counting(1);
  const NodeRef doubles = graph::make_cast(plus_one(x), DType::k_float64);
  NodeRef large = counting(1, {2, kSide * kSide});
  const std::vector<Index> first{{Index::Type::kInteger, 0, {}, 1, true}};
  const NodeRef half = plus_one(graph::make_view(large, {graph::View::Type::kIndex, first, {}, {}}));
  row = x = large = nullptr;
  const std::int64_t before = donations();
  evaluate({request_of(wide)});
  evaluate({request_of(doubles)});
  evaluate({request_of(half)});
  EXPECT_EQ(donations(), before);
}

TEST_P(Donate, TheFrontOfALargeBlockIsNotKeptAliveByASmallResult) {
  NodeRef large = counting(1, {4, kSide * kSide});
  NodeRef front = graph::make_memory(DType::k_float32, large->as<graph::InMemory>()->memory,
                                     contiguous({kSide * kSide}, size_of(DType::k_float32)));
  const NodeRef y = plus_one(front);
  large = front = nullptr;
  EXPECT_EQ(evaluate_and_check(y, plus(1)), 0);
}

TEST_P(Donate, ASettingThatMeansNothingIsToldBeforeAnythingIsWritten) {
  NodeRef x = counting(1);
  const NodeRef y = plus_one(x);
  x = nullptr;
  {
    const EnvSetting setting("PENSTOCK_DEBUG_DELAY", "often");
    EXPECT_THROW(evaluate({request_of(y)}), ArgumentError);
  }
  EXPECT_EQ(evaluate_and_check(y, plus(1)), 1);
}

TEST_P(Donate, ARowThatIsAddedToEachRowIsNoHindrance) {
  const NodeRef row = counting(0, {kSide});
  const NodeRef y = graph::make_elementwise(
      Op::k_add, {counting(1), graph::make_view(row, {graph::View::Type::kBroadcast, {}, {}, {kSide, kSide}})});
  EXPECT_EQ(evaluate_and_check(y, plus(0)), 1);
}

TEST_P(Donate, ADonatedResultNeedsNoBudget) {
  constexpr std::int64_t kLarge = 6 << 20;
  NodeRef x = counting(1, {kLarge});
  const BudgetSetting budget(memory::Governor::instance().used() + (18 << 20));
  const NodeRef y = plus_one(x);
  EXPECT_THROW(evaluate({request_of(y)}), BudgetError);
  x = nullptr;
  const std::int64_t before = donations();
  evaluate({request_of(y)});
  EXPECT_EQ(donations(), before + 1);
}

TEST_P(Donate, WhoeverReadsTheOperandMeanwhileWaits) {
  for (int round = 0; round < 100; ++round) {
    NodeRef x = counting(1);
    const NodeRef y = plus_one(x);
    const NodeRef z = plus_one(y);
    x = nullptr;
    std::thread other([&] { evaluate({request_of(z)}); });
    evaluate({request_of(y)});
    other.join();
    ASSERT_EQ(evaluate_and_check(y, plus(1)), 0);
    ASSERT_EQ(evaluate_and_check(z, plus(2)), 0);
  }
}

TEST_P(Donate, AStopComesBeforeOrAfterTheWriting) {
  for (int round = 0; round < 20; ++round) {
    NodeRef y = counting(1);
    for (int i = 0; i < 30; ++i) y = plus_one(y);
    std::stop_source stop;
    if (round == 0) stop.request_stop();
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(10 * round));
      stop.request_stop();
    });
    try {
      Options options;
      options.stop = stop.get_token();
      evaluate({request_of(y)}, options);
      EXPECT_NE(round, 0);
    } catch (const Cancelled&) {
    }
    other.join();
    check(y, plus(30));
  }
}

TEST_P(Donate, AnEvaluationThatFailedHalfWayIsAnError) {
  NodeRef x = counting(1);
  x->as<graph::InMemory>()->memory->rewritten = std::numeric_limits<int>::min();
  EXPECT_THROW(evaluate({request_of(plus_one(x))}), InternalError);
}

TEST(Donation, GivesBackWhatIsNotYetWrittenAndLosesTheRest) {
  for (const bool begins : {false, true}) {
    NodeRef x = counting(1);
    const NodeRef y = plus_one(x);
    const std::shared_ptr<memory::Memory> memory = x->as<graph::InMemory>()->memory;
    x = nullptr;
    {
      Donation donation;
      std::unique_lock lock(graph::graph_mutex());
      ASSERT_TRUE(donation.take(*y, memory, 1));
      EXPECT_TRUE(is_rewritten(*memory));
      lock.unlock();
      if (begins) donation.begin();
    }
    EXPECT_EQ(memory->rewritten, begins ? std::numeric_limits<int>::min() : 0);
    if (begins)
      EXPECT_THROW(evaluate({request_of(y)}), InternalError);
    else
      check(y, plus(1));
  }
}

TEST(Donation, AWorkerWithoutScratchLeavesItsWorkToTheOthers) {
  const NodeRef y = plus_one(plus_one(counting(1, {1'000'000})));
  std::unique_lock lock(graph::graph_mutex());
  const Plan plan = make_plan({request_of(y)});
  lock.unlock();
  const std::vector<std::byte*> into{plan.pipelines[0].program.operands[0].memory->data()};
  const auto runner = make_store(plan.pipelines[0], into, false);
  Bases bases;
  for (const Operand& each : plan.pipelines[0].program.operands)
    bases.push_back(each.memory ? each.memory->data() : nullptr);
  PassContext context;
  context.table = &kernel::table();
  context.threads = 2;
  context.in_place = true;
  const Options none;
  Monitor monitor(none, 0);
  context.monitor = &monitor;
  const memory::Arena::Scope scratch(runner->state_bytes(1));
  const BudgetSetting nothing_left(memory::Governor::instance().used());
  const ThreadSetting two(2);
  // Helpers are there in time for some of these rounds at least.
  constexpr int kRounds = 50;
  for (int round = 0; round < kRounds; ++round) runner->feed({0, runner->units()}, bases, {nullptr}, context);
  const auto* values = reinterpret_cast<const float*>(into[0]);
  for (std::int64_t i = 0; i < 1'000'000; ++i)
    ASSERT_EQ(values[i], static_cast<float>(i + 2 * kRounds)) << "element " << i;
}

}  // namespace
}  // namespace penstock::run
