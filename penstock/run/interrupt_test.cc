// SPDX-License-Identifier: Apache-2.0
// An evaluation can be stopped in the middle of its work, whatever the work is.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "penstock/run/runner.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("stopped") {}
};

/// Some hundred milliseconds of work for one thread, without a source to be read.
graph::NodeRef long_work() {
  graph::NodeRef at = graph::make_iota(graph::Scalar::of(0.0), graph::Scalar::of(1e-3), {1'000'000});
  for (int i = 0; i < 60; ++i) at = graph::make_elementwise(Op::k_sin, {at});
  return at;
}

/// Evaluates on one thread and stops at the third poll: the polls before it say that one was in the middle.
void evaluate_and_stop(const graph::NodeRef& node) {
  const ThreadSetting one(1);
  int polls = 0;
  Options options;
  options.poll = [&](const Progress&) {
    if (++polls == 3) throw Stopped();
  };
  EXPECT_THROW(evaluate({request_of(node)}, options), Stopped) << graph::node_text(*node);
  EXPECT_EQ(polls, 3);
  const std::lock_guard lock(graph::graph_mutex());
  EXPECT_FALSE(graph::resident(*node));
}

TEST(Interrupt, AStore) { evaluate_and_stop(long_work()); }

TEST(Interrupt, AReductionToOneNumber) {
  evaluate_and_stop(graph::make_reduce(Reduction::k_sum, long_work(), {0}, false));
}

TEST(Interrupt, AReductionOverRows) {
  const graph::View matrix{graph::View::Type::kReshape, {}, {}, {1000, 1000}};
  evaluate_and_stop(graph::make_reduce(Reduction::k_max, graph::make_view(long_work(), matrix), {0}, false));
}

TEST(Interrupt, AHistogram) { evaluate_and_stop(graph::make_histogram(long_work(), {-1, 0, 1}, 1)); }

Program program_of(int instructions, Op op, DType dtype) {
  Program program;
  for (int i = 0; i < instructions; ++i) {
    Instruction each;
    each.op = op;
    each.from = each.to = dtype;
    program.instructions.push_back(each);
  }
  return program;
}

TEST(Interrupt, LongProgramsAreTakenInSmallerChunks) {
  EXPECT_EQ(chunk_of(program_of(0, Op::k_add, DType::k_float32)), kChunk);
  EXPECT_EQ(chunk_of(program_of(10, Op::k_add, DType::k_float32)), kChunk);
  EXPECT_EQ(chunk_of(program_of(1, Op::k_sin, DType::k_float64)), kChunk);
  EXPECT_LT(chunk_of(program_of(120, Op::k_sin, DType::k_float64)), kChunk / 8);
  EXPECT_LT(chunk_of(program_of(2, Op::k_sin, DType::k_complex64)), kChunk / 4);
  EXPECT_GE(chunk_of(program_of(5000, Op::k_sin, DType::k_complex64)), 1024);
}

}  // namespace
}  // namespace penstock::run
