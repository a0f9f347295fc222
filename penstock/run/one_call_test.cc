// SPDX-License-Identifier: Apache-2.0
// What one call of a kernel evaluates, and what it leaves as it was. Whose bits it gives is tested with run/direct.h.
#include "penstock/run/one_call.h"

#include <gtest/gtest.h>

#include <limits>

#include "penstock/base/fork.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

using graph::NodeRef;

OneCall one_call(const Request& request, std::int64_t most) {
  measure::Span planning(measure::Step::k_plan);
  return evaluate_in_one_call(request, most, planning);
}
bool in_one_call(const Request& request) {
  return one_call(request, std::numeric_limits<std::int64_t>::max()) == OneCall::kDone;
}
NodeRef floats(std::int64_t n, int from = 1) { return node_of(numbers(DType::k_float32, {n}, from)); }
NodeRef call(Op op, std::vector<NodeRef> operands) { return graph::make_elementwise(op, std::move(operands)); }
NodeRef sum_of(const NodeRef& x) { return graph::make_reduce(Reduction::k_sum, x, {0}, false); }

TEST(OneCall, EvaluatesWhatAKernelReadsWhereItLies) {
  const NodeRef a = floats(5'000);
  const NodeRef b = floats(5'000, 2);
  const NodeRef sums = call(Op::k_add, {a, b});
  ASSERT_TRUE(in_one_call(request_of(sums)));
  EXPECT_TRUE(values_of(sums).bytes == plain::elementwise(Op::k_add, {values_of(a), values_of(b)}).bytes);
  EXPECT_TRUE(sums->inputs.empty());
  EXPECT_EQ(sums->running, 0);
  EXPECT_FALSE(in_one_call(request_of(sums))) << "it is evaluated";
  const NodeRef sum = sum_of(a);
  const NodeRef mean = call(Op::k_divide, {sum, graph::make_constant(graph::Scalar::of(5000.0f), {})});
  EXPECT_FALSE(in_one_call(request_of(mean))) << "the sum comes first";
  ASSERT_TRUE(in_one_call(request_of(sum)));
  ASSERT_TRUE(in_one_call(request_of(mean)));
  float values[2];
  std::memcpy(&values[0], values_of(sum).bytes.data(), sizeof(float));
  std::memcpy(&values[1], values_of(mean).bytes.data(), sizeof(float));
  EXPECT_EQ(values[1], values[0] / 5000.0f);
}

TEST(OneCall, LeavesTheRestAsItWas) {
  const NodeRef a = floats(5'000);
  const NodeRef large = floats(200'000);
  const NodeRef none = floats(0);
  const NodeRef table = node_of(numbers(DType::k_float32, {50, 100}));
  const NodeRef turned = transposed_node_of(numbers(DType::k_float32, {50, 100}));
  const NodeRef backwards = graph::make_view(a, {graph::View::Type::kFlip, {}, {0}, {}});
  const NodeRef cases[] = {
      call(Op::k_add, {a, graph::make_constant(graph::Scalar::of(2.0f), {})}),
      call(Op::k_add, {call(Op::k_negative, {a}), a}),
      call(Op::k_add, {a, floats(5'000)}),  // nobody else leads to the second: it may be written over
      call(Op::k_add, {table, turned}),
      call(Op::k_add, {a, backwards}),
      call(Op::k_add, {large, large}),
      call(Op::k_add, {none, none}),
      graph::make_reduce(Reduction::k_sum, table, {0}, false),
      sum_of(backwards),
      graph::make_cast(a, DType::k_float64),
  };
  for (const NodeRef& each : cases) {
    const std::size_t inputs = each->inputs.size();
    EXPECT_FALSE(in_one_call(request_of(each))) << graph::node_text(*each);
    EXPECT_EQ(each->inputs.size(), inputs);
    EXPECT_EQ(each->running, 0);
  }
  const NodeRef sums = call(Op::k_add, {a, a});
  EXPECT_EQ(one_call(request_of(sums), 5'000), OneCall::kTooMuch) << "more operations than asked for";
  sums->running = fork_generation();
  EXPECT_FALSE(in_one_call(request_of(sums))) << "somebody else computes it";
  sums->running = 0;
}

TEST(OneCall, WritesOverAnOperandElementForElementOnly) {
  const auto memory = std::make_shared<Borrowed>(4 * 6'000);
  std::memcpy(memory->data(), numbers(DType::k_float32, {6'000}).bytes.data(), 4 * 6'000);
  const auto part = [&](std::int64_t from) {
    return graph::make_memory(DType::k_float32, memory, {{5'000}, {4}, 4 * from});
  };
  const auto into = [&](const NodeRef& node, std::int64_t from, std::int64_t stride) {
    Request request = request_of(node);
    request.destination.kind = Destination::Kind::kMemory;
    request.destination.memory = memory;
    request.destination.layout = {{5'000}, {stride}, 4 * from};
    return request;
  };
  const NodeRef first = part(0);
  const NodeRef second = part(1);
  const Plain before = values_of(first);
  EXPECT_FALSE(in_one_call(into(call(Op::k_add, {first, second}), 0, 4)));
  EXPECT_FALSE(in_one_call(into(call(Op::k_add, {first, first}), 4'999, -4)));
  EXPECT_TRUE(values_of(first).bytes == before.bytes);
  ASSERT_TRUE(in_one_call(into(call(Op::k_add, {first, first}), 0, 4)));
  EXPECT_TRUE(values_of(first).bytes == plain::elementwise(Op::k_add, {before, before}).bytes);
}

}  // namespace
}  // namespace penstock::run
