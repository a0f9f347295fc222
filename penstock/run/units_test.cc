// SPDX-License-Identifier: Apache-2.0
// How programs are cut into units, on a target that makes loops and on one that makes none.
#include "penstock/run/units.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

using graph::NodeRef;

NodeRef values(DType dtype, std::int64_t n = 5000) { return node_of(Plain(dtype, {n})); }
NodeRef call(Op op, std::vector<NodeRef> operands) { return graph::make_elementwise(op, std::move(operands)); }

Program program_of(const std::vector<NodeRef>& roots) {
  NeedsTarget needs;
  std::optional<Program> program = compile(roots, {}, needs);
  PENSTOCK_CHECK(program.has_value());
  return std::move(*program);
}

/// The operations of each unit, as "multiply add | exp".
std::string text(const Program& program) {
  std::string text;
  for (const Unit& unit : units_of(program)) {
    if (!text.empty()) text += " | ";
    for (std::size_t i = 0; i < unit.instructions.size(); ++i) {
      const Instruction& each = program.instructions[static_cast<std::size_t>(unit.instructions[i])];
      text += cat(i > 0 ? " " : "", each.cast ? "cast" : row(each.op).name);
    }
    EXPECT_EQ(unit.loop != nullptr, unit.instructions.size() > 1);
  }
  return text;
}

/// f() under the best target of this machine, if that makes loops.
template <class F>
void where_loops_are_made(const F& f) {
  const TargetSetting best(simd::targets().back());
  if (!kernel::is_generated(Op::k_add, DType::k_float32)) GTEST_SKIP() << "no loops are made on this machine";
  f();
}

TEST(Units, AChainIsOneLoop) {
  where_loops_are_made([] {
    const NodeRef a = values(DType::k_float32);
    EXPECT_EQ(text(program_of({call(Op::k_sqrt, {call(Op::k_add, {call(Op::k_multiply, {a, a}), a})})})),
              "multiply add sqrt");
  });
}

TEST(Units, AFunctionInTheMiddleCutsTheChain) {
  where_loops_are_made([] {
    const NodeRef a = values(DType::k_float32);
    const NodeRef inner = call(Op::k_add, {call(Op::k_multiply, {a, a}), a});
    EXPECT_EQ(text(program_of({call(Op::k_sqrt, {call(Op::k_abs, {call(Op::k_exp, {inner})})})})),
              "multiply add | exp | abs sqrt");
  });
}

TEST(Units, WhatWaitsForNothingJoinsTheFirstLoop) {
  where_loops_are_made([] {
    const NodeRef a = values(DType::k_float32);
    const NodeRef b = values(DType::k_float32);
    const NodeRef left = call(Op::k_exp, {call(Op::k_negative, {a})});
    const NodeRef right = call(Op::k_sqrt, {call(Op::k_abs, {b})});
    EXPECT_EQ(text(program_of({call(Op::k_add, {left, right})})), "negative abs sqrt | exp | add");
  });
}

TEST(Units, LanesOfOneLoopHaveOneWidth) {
  where_loops_are_made([] {
    const NodeRef a = values(DType::k_float32);
    const NodeRef wide = graph::make_cast(call(Op::k_sqrt, {call(Op::k_abs, {a})}), DType::k_float64);
    EXPECT_EQ(text(program_of({call(Op::k_add, {call(Op::k_square, {wide}), wide})})), "abs sqrt | cast | square add");
  });
}

TEST(Units, BytesStayBytesUntilTheyMeetALane) {
  where_loops_are_made([] {
    const NodeRef a = values(DType::k_float32);
    const NodeRef p = values(DType::k_bool);
    const NodeRef q = call(Op::k_logical_not, {call(Op::k_logical_and, {p, p})});
    EXPECT_EQ(text(program_of({q})), "logical_and | logical_not");
    EXPECT_EQ(text(program_of({call(Op::k_where, {call(Op::k_less, {a, call(Op::k_sqrt, {a})}), a, a})})),
              "sqrt less where");
  });
}

TEST(Units, ALoopEndsWhereRegistersDo) {
  where_loops_are_made([] {
    // Every value is alive until the end: no register is free again.
    std::vector<NodeRef> made;
    for (int i = 0; i < 40; ++i) made.push_back(call(Op::k_add, {values(DType::k_float32), values(DType::k_float32)}));
    NodeRef all = made[0];
    for (std::size_t i = 1; i < made.size(); ++i) all = call(Op::k_add, {all, made[i]});
    const Program program = program_of({all});
    std::size_t done = 0;
    const std::vector<Unit> units = units_of(program);
    for (const Unit& unit : units) done += unit.instructions.size();
    EXPECT_GT(units.size(), 1U);
    EXPECT_EQ(done, program.instructions.size());
  });
}

TEST(Units, FewElementsAndOtherTargetsGoByKernels) {
  const auto two = [](std::int64_t n) {
    const NodeRef a = values(DType::k_float32, n);
    return program_of({call(Op::k_sqrt, {call(Op::k_abs, {a})})});
  };
  EXPECT_EQ(text(two(10)), "abs | sqrt");
  const TargetSetting scalar(simd::Target::kScalar);
  EXPECT_EQ(text(two(5000)), "abs | sqrt");
}

}  // namespace
}  // namespace penstock::run
