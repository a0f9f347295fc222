// SPDX-License-Identifier: Apache-2.0
// Evaluations without a plan: the bits of one, and a refusal where operands lie otherwise.
#include "penstock/run/direct.h"

#include <gtest/gtest.h>

#include <thread>

#include "penstock/base/expect_error.h"
#include "penstock/measure/counters.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

using graph::NodeRef;

NodeRef floats(std::int64_t n, int from = 1) { return node_of(numbers(DType::k_float32, {n}, from)); }
NodeRef call(Op op, std::vector<NodeRef> operands) { return graph::make_elementwise(op, std::move(operands)); }
NodeRef number(float value) { return graph::make_constant(graph::Scalar::of(value), {}); }
NodeRef chain(const NodeRef& a, const NodeRef& b) {
  return call(Op::k_subtract,
              {call(Op::k_multiply, {number(2), a}), call(Op::k_divide, {number(1), call(Op::k_add, {b, number(3)})})});
}

/// `make()` evaluated by a plan: settings for tests of tiling keep every evaluation to one.
template <class Make>
Plain planned(const Make& make) {
  const EnvSetting outer("PENSTOCK_DEBUG_OUTER", "1073741824");
  const NodeRef node = make();
  EXPECT_FALSE(evaluate_directly(request_of(node)));
  return evaluated(node);
}

template <class Make>
void expect_the_bits_of_a_plan(const std::string& what, const Make& make) {
  const NodeRef node = make();
  ASSERT_TRUE(evaluate_directly(request_of(node))) << what;
  EXPECT_TRUE(node->inputs.empty());
  const Plain got = values_of(node);
  const Plain expected = planned(make);
  ASSERT_EQ(got.shape, expected.shape) << what;
  EXPECT_TRUE(got.bytes == expected.bytes) << what;
}

const std::int64_t kSizes[] = {1, 255, 5'000, 100'003, 500'001};

TEST(Direct, EveryFunctionGivesTheBitsOfAPlan) {
  for (int op = 0; op < kOpCount; ++op) {
    for (int d = 0; d < kDTypeCount; ++d) {
      const auto dtype = static_cast<DType>(d);
      if (dtype == DType::k_float16) continue;
      std::vector<NodeRef> operands;
      for (int k = 0; k < row(static_cast<Op>(op)).arity; ++k) {
        const bool condition = static_cast<Op>(op) == Op::k_where && k == 0;
        operands.push_back(node_of(numbers(condition ? DType::k_bool : dtype, {20'011}, k + 1)));
      }
      const auto make = [&] { return call(static_cast<Op>(op), operands); };
      try {
        if (make()->inputs[0] != operands[0]) continue;  // converted first
      } catch (const DTypeError&) {
        continue;
      }
      expect_the_bits_of_a_plan(cat(row(static_cast<Op>(op)).name, " of ", name_of(dtype)), make);
    }
  }
}

TEST(Direct, AChainGivesTheBitsOfAPlanAtEverySizeAndThreadCount) {
  for (const int threads : {1, 2, 3}) {
    const ThreadSetting setting(threads);
    for (const std::int64_t n : kSizes) {
      const NodeRef a = floats(n);
      const NodeRef b = floats(n, 3);
      expect_the_bits_of_a_plan(cat("chain of ", n), [&] { return chain(a, b); });
    }
  }
}

TEST(Direct, ReductionsGiveTheBitsOfAPlan) {
  for (const int threads : {1, 2, 3}) {
    const ThreadSetting setting(threads);
    for (const std::int64_t n : kSizes) {
      for (int r = 0; r < kReductionCount; ++r) {
        for (const DType dtype : {DType::k_float32, DType::k_float64, DType::k_int64, DType::k_complex64}) {
          const NodeRef x = node_of(numbers(dtype, {n}));
          const auto make = [&] { return graph::make_reduce(static_cast<Reduction>(r), x, {0}, false); };
          try {
            if (make()->inputs[0] != x) continue;  // converted first
          } catch (const DTypeError&) {
            continue;
          }
          expect_the_bits_of_a_plan(cat(kReductions[r].name, " of ", n, " ", name_of(dtype)), make);
        }
      }
    }
  }
}

TEST(Direct, AReductionOfAChainNeedsNoMemoryForIt) {
  for (const std::int64_t n : kSizes) {
    const NodeRef a = floats(n);
    const NodeRef b = floats(n, 3);
    expect_the_bits_of_a_plan(cat("sum of a chain of ", n),
                              [&] { return graph::make_reduce(Reduction::k_sum, chain(a, b), {0}, false); });
  }
}

TEST(Direct, WhatIsLeftAfterAReductionFollowsIt) {
  const NodeRef a = floats(100'003);
  expect_the_bits_of_a_plan("a mean", [&] {
    return call(Op::k_divide, {graph::make_reduce(Reduction::k_sum, a, {0}, false), number(100'003)});
  });
  expect_the_bits_of_a_plan("distances to a sum", [&] {
    return call(Op::k_subtract, {a, graph::make_reduce(Reduction::k_sum, a, {0}, false)});
  });
}

TEST(Direct, SeveralDimensionsAndReshapedOnesAreRunsToo) {
  const NodeRef table = node_of(numbers(DType::k_float32, {60, 100}));
  const NodeRef flat = graph::make_view(table, {graph::View::Type::kReshape, {}, {}, {6000}});
  expect_the_bits_of_a_plan("a table", [&] { return call(Op::k_add, {table, table}); });
  expect_the_bits_of_a_plan("a reshaped table", [&] { return call(Op::k_add, {flat, flat}); });
  expect_the_bits_of_a_plan("all of a table", [&] {
    return graph::make_reduce(Reduction::k_sum, table, {0, 1}, true);
  });
}

TEST(Direct, RowsAndColumnsStandForAllOthers) {
  for (const std::int64_t columns : {128, 131, 1000}) {
    const NodeRef table = node_of(numbers(DType::k_float32, {50, columns}));
    const NodeRef row = node_of(numbers(DType::k_float32, {columns}, 2));
    const NodeRef column = node_of(numbers(DType::k_float32, {50, 1}, 3));
    const NodeRef deep = node_of(numbers(DType::k_float32, {5, 10, columns}, 4));
    const NodeRef wide = node_of(numbers(DType::k_float32, {50, columns + 7}, 5));
    std::vector<Index> part(2);
    part[0].type = part[1].type = Index::Type::kSlice;
    part[1].has_start = true;
    part[1].start = 3;
    part[1].stop = columns + 3;
    const NodeRef slice = graph::make_view(wide, {graph::View::Type::kIndex, part, {}, {}});
    expect_the_bits_of_a_plan("a row", [&] { return call(Op::k_subtract, {table, row}); });
    expect_the_bits_of_a_plan("a column", [&] { return call(Op::k_subtract, {column, table}); });
    expect_the_bits_of_a_plan("a row and a column", [&] { return call(Op::k_multiply, {column, row}); });
    expect_the_bits_of_a_plan("a row for planes", [&] { return call(Op::k_divide, {deep, row}); });
    expect_the_bits_of_a_plan("part of each row", [&] { return chain(slice, table); });
    expect_the_bits_of_a_plan("sum of a row more", [&] {
      return graph::make_reduce(Reduction::k_sum, call(Op::k_add, {slice, row}), {0, 1}, false);
    });
  }
}

/// Every |step|th of the elements, backwards for a negative step.
NodeRef stepped(const NodeRef& node, std::int64_t step) {
  Index index;
  index.type = Index::Type::kSlice;
  index.step = step;
  return graph::make_view(node, {graph::View::Type::kIndex, {index}, {}, {}});
}

TEST(Direct, ElementsInStepsArePacked) {
  for (const DType dtype : {DType::k_int8, DType::k_int16, DType::k_float32, DType::k_float64, DType::k_complex128}) {
    for (const std::int64_t n : {3, 2'049, 100'003}) {
      for (const std::int64_t step : {2, 3, -1, -2}) {
        const NodeRef x = stepped(node_of(numbers(dtype, {n})), step);
        const NodeRef y = node_of(numbers(dtype, {x->size()}, 2));
        const std::string what = cat(x->size(), " of ", n, " ", name_of(dtype), ", step ", step);
        expect_the_bits_of_a_plan(what, [&] { return call(Op::k_add, {x, y}); });
        if (kind_of(dtype) == Kind::kFloat)
          expect_the_bits_of_a_plan(what, [&] { return call(Op::k_multiply, {call(Op::k_subtract, {y, x}), x}); });
        const auto total = [&] { return graph::make_reduce(Reduction::k_sum, x, {0}, false); };
        if (total()->inputs[0] == x) expect_the_bits_of_a_plan(what, total);
      }
    }
  }
}

TEST(Direct, OperandsOfOtherDTypesAreConvertedBesideTheLoop) {
  for (const std::int64_t n : {1, 513, 100'003}) {
    for (const DType from : {DType::k_bool, DType::k_int8, DType::k_uint16, DType::k_int64, DType::k_float32}) {
      const NodeRef stored = node_of(numbers(from, {n}));
      const NodeRef one = node_of(numbers(from, {1}));
      for (const DType to : {DType::k_int32, DType::k_float64, DType::k_complex64}) {
        const std::string what = cat(n, " ", name_of(from), " as ", name_of(to));
        const NodeRef x = graph::make_cast(stored, to);
        const NodeRef backwards = graph::make_cast(stepped(stored, -1), to);
        const NodeRef y = node_of(numbers(to, {n}, 2));
        expect_the_bits_of_a_plan(what, [&] { return call(Op::k_add, {x, y}); });
        expect_the_bits_of_a_plan(what, [&] { return call(Op::k_multiply, {backwards, x}); });
        if (to != DType::k_complex64)
          expect_the_bits_of_a_plan(what, [&] { return call(Op::k_multiply, {graph::make_cast(one, to), x}); });
        if (to == DType::k_int32) continue;  // summed as int64
        expect_the_bits_of_a_plan(what, [&] { return graph::make_reduce(Reduction::k_sum, x, {0}, false); });
        expect_the_bits_of_a_plan(what, [&] { return graph::make_reduce(Reduction::k_sum, backwards, {0}, false); });
      }
    }
  }
}

TEST(Direct, RowsOfElementsInStepsArePacked) {
  const NodeRef wide = node_of(numbers(DType::k_float32, {50, 700}));
  std::vector<Index> part(2);
  part[0].type = part[1].type = Index::Type::kSlice;
  part[1].step = -2;
  const NodeRef x = graph::make_view(wide, {graph::View::Type::kIndex, part, {}, {}});
  const NodeRef row = node_of(numbers(DType::k_float32, {350}, 2));
  expect_the_bits_of_a_plan("rows", [&] { return call(Op::k_subtract, {chain(x, x), row}); });
  expect_the_bits_of_a_plan("their sum", [&] { return graph::make_reduce(Reduction::k_sum, x, {0, 1}, false); });
}

TEST(Direct, LeavesTheRestToPlans) {
  const NodeRef table = node_of(numbers(DType::k_float32, {64, 64}));
  const NodeRef row = node_of(numbers(DType::k_float32, {64}));
  const NodeRef turned = graph::make_view(table, {graph::View::Type::kPermute, {}, {1, 0}, {}});
  const NodeRef none = node_of(numbers(DType::k_float32, {0}));
  const NodeRef exps = call(Op::k_exp, {call(Op::k_exp, {table})});
  const NodeRef cases[] = {
      call(Op::k_add, {table, row}),
      call(Op::k_add, {turned, table}),
      call(Op::k_add, {none, none}),
      graph::make_cast(table, DType::k_float64),
      call(Op::k_add, {exps, table}),
      graph::make_reduce(Reduction::k_sum, table, {0}, false),
      graph::make_reduce(Reduction::k_sum, turned, {0, 1}, false),
  };
  for (const NodeRef& each : cases) {
    const std::size_t inputs = each->inputs.size();
    EXPECT_FALSE(evaluate_directly(request_of(each))) << graph::node_text(*each);
    EXPECT_EQ(each->inputs.size(), inputs);
    EXPECT_EQ(each->running, 0);
  }
}

TEST(Direct, WritesIntoMemoryOfTheCallerUnlessThatIsStillRead) {
  const auto memory = std::make_shared<Borrowed>(4 * 6000);
  std::memcpy(memory->data(), numbers(DType::k_float32, {6000}).bytes.data(), 4 * 6000);
  const auto part = [&](std::int64_t from) {
    return graph::make_memory(DType::k_float32, memory, {{5000}, {4}, 4 * from});
  };
  const auto into = [&](const NodeRef& node, std::int64_t from) {
    Request request = request_of(node);
    request.destination.kind = Destination::Kind::kMemory;
    request.destination.memory = memory;
    request.destination.layout = {{5000}, {4}, 4 * from};
    return request;
  };
  EXPECT_FALSE(evaluate_directly(into(chain(part(0), part(1)), 0)));
  const Plain expected = planned([&] { return chain(part(0), part(0)); });
  ASSERT_TRUE(evaluate_directly(into(chain(part(0), part(0)), 0)));
  EXPECT_EQ(std::memcmp(memory->data(), expected.bytes.data(), 4 * 5000), 0);
  // Backwards it is read after it is written.
  const NodeRef backwards = graph::make_memory(DType::k_float32, memory, {{5000}, {-4}, 4 * 4999});
  EXPECT_FALSE(evaluate_directly(into(chain(backwards, backwards), 0)));
  const NodeRef behind = graph::make_memory(DType::k_float32, memory, {{500}, {-4}, 4 * 5999});
  Request request = into(chain(behind, behind), 0);
  request.destination.layout.shape = {500};
  EXPECT_TRUE(evaluate_directly(request));
}

TEST(Direct, ResultsInStepsGoWhereTheyBelongAndNowhereElse) {
  for (const DType dtype : {DType::k_int8, DType::k_float32, DType::k_complex128}) {
    for (const std::int64_t n : {1, 2, 2'047, 2'049, 50'001}) {
      for (const std::int64_t step : {2, 3, -1, -2}) {
        const std::int64_t size = size_of(dtype);
        const std::int64_t all = n * std::abs(step);
        const auto memory = std::make_shared<Borrowed>(size * all);
        std::memset(memory->data(), 0x5a, static_cast<std::size_t>(size * all));
        const NodeRef x = node_of(numbers(dtype, {n}));
        Request request = request_of(call(Op::k_add, {x, x}));
        request.destination.kind = Destination::Kind::kMemory;
        request.destination.memory = memory;
        request.destination.layout = {{n}, {size * step}, step > 0 ? 0 : size * (all - 1)};
        const std::string what = cat(n, " ", name_of(dtype), ", step ", step);
        ASSERT_TRUE(evaluate_directly(request)) << what;
        const Plain expected = planned([&] { return call(Op::k_add, {x, x}); });
        std::vector<std::byte> wanted(static_cast<std::size_t>(size * all), std::byte{0x5a});
        for (std::int64_t i = 0; i < n; ++i) {
          std::memcpy(wanted.data() + request.destination.layout.offset + i * size * step,
                      expected.bytes.data() + i * size, static_cast<std::size_t>(size));
        }
        EXPECT_EQ(std::memcmp(memory->data(), wanted.data(), wanted.size()), 0) << what;
      }
    }
  }
}

TEST(Direct, KeepsToTheBudgetByWayOfThePlan) {
  const NodeRef node = chain(floats(5000), floats(5000));
  const BudgetSetting tight(1000);
  EXPECT_FALSE(evaluate_directly(request_of(node)));
  EXPECT_THROW(evaluate({request_of(node)}), BudgetError);
  EXPECT_EQ(node->inputs.size(), 2U);
}

TEST(Direct, AStopIsHeard) {
  const NodeRef node = chain(floats(5000), floats(5000));
  std::stop_source source;
  source.request_stop();
  Options options;
  options.stop = source.get_token();
  EXPECT_THROW(evaluate_directly(request_of(node), options), Cancelled);
  EXPECT_EQ(node->running, 0);
  EXPECT_EQ(node->inputs.size(), 2U);
}

TEST(Direct, TwoThreadsComputeANodeOnce) {
  for (int round = 0; round < 50; ++round) {
    const NodeRef node = chain(floats(50'000), floats(50'000, 2));
    const std::int64_t before = measure::value(measure::Counter::k_evaluations);
    std::jthread other([&] { evaluate({request_of(node)}); });
    evaluate({request_of(node)});
    other.join();
    EXPECT_EQ(measure::value(measure::Counter::k_evaluations) - before, 1);
  }
}

}  // namespace
}  // namespace penstock::run
