// SPDX-License-Identifier: Apache-2.0
// Small operations without a plan: the bits of one, and a refusal where operands lie otherwise.
#include "penstock/run/at_once.h"

#include <gtest/gtest.h>

#include "penstock/base/expect_error.h"
#include "penstock/op/infer.h"
#include "penstock/run/matmul.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

using graph::NodeRef;

/// Every function of every dtype that takes it, over operands of `shapes`.
template <class F>
void for_functions(const Dims* shapes, const F& f) {
  for (int op = 0; op < kOpCount; ++op) {
    for (int d = 0; d < kDTypeCount; ++d) {
      const auto dtype = static_cast<DType>(d);
      if (dtype == DType::k_float16) continue;
      std::vector<NodeRef> operands;
      for (int k = 0; k < row(static_cast<Op>(op)).arity; ++k) {
        const bool condition = static_cast<Op>(op) == Op::k_where && k == 0;
        operands.push_back(node_of(numbers(condition ? DType::k_bool : dtype, shapes[k], k + 1)));
      }
      NodeRef node;
      try {
        node = graph::make_elementwise(static_cast<Op>(op), operands);
      } catch (const DTypeError&) {
        continue;  // not of this dtype
      }
      f(*node, graph::make_elementwise(static_cast<Op>(op), operands));
    }
  }
}

template <class F>
void for_reductions(const F& f) {
  for (int r = 0; r < kReductionCount; ++r) {
    for (int d = 0; d < kDTypeCount; ++d) {
      const auto dtype = static_cast<DType>(d);
      if (dtype == DType::k_float16) continue;
      try {
        f(static_cast<Reduction>(r), dtype);
      } catch (const DTypeError&) {
        continue;  // not of this dtype
      }
    }
  }
}

/// An operand as it was before the function that takes it converted it.
const graph::Node* unconverted(const NodeRef& input) {
  return input->as<graph::CastTo>() ? input->inputs[0].get() : input.get();
}

/// What the node's operation gives without a plan; null where it needs one.
NodeRef at_once(const graph::Node& node) {
  if (const auto* reduce = node.as<graph::Reduce>())
    return reduce_at_once(reduce->reduction, *unconverted(node.inputs[0]), node.shape);
  const auto* elementwise = node.as<graph::Elementwise>();
  if (elementwise == nullptr) return nullptr;
  SmallOperand operands[kMaxArity];
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    const graph::Node* input = unconverted(node.inputs[k]);
    if (const auto* constant = input->as<graph::Constant>())
      operands[k].value = constant->value;
    else
      operands[k].node = input;
  }
  return elementwise_at_once(elementwise->op, {elementwise->compute, node.dtype},
                             std::span(operands, node.inputs.size()));
}

void expect_same_bits(graph::Node& node, const NodeRef& planned) {
  const std::string what = graph::node_text(node) + " of " + name_of(planned->inputs[0]->dtype);
  const NodeRef computed = at_once(node);
  ASSERT_NE(computed, nullptr) << what;
  const auto* found = computed->as<graph::InMemory>();
  EXPECT_EQ(computed->dtype, node.dtype) << what;
  evaluate({request_of(planned)});
  const auto* expected = planned->as<graph::InMemory>();
  ASSERT_NE(expected, nullptr) << what;
  EXPECT_EQ(found->layout, expected->layout);
  EXPECT_EQ(std::memcmp(found->memory->data(), expected->memory->data(), static_cast<std::size_t>(node.bytes())), 0)
      << what;
}

TEST(AtOnce, GivesTheBitsOfAPlan) {
  for (const std::int64_t n : {1, 3, 16, 63, 255, 256}) {
    const Dims same[kMaxArity] = {{n}, {n}, {n}};
    for_functions(same, [](graph::Node& node, const NodeRef& planned) { expect_same_bits(node, planned); });
  }
}

TEST(AtOnce, TakesSingleValuesForAllElements) {
  const Dims shapes[kMaxArity] = {{2, 3}, {}, {1}};
  for_functions(shapes, [](graph::Node& node, const NodeRef& planned) { expect_same_bits(node, planned); });
}

TEST(AtOnce, GivesTheBitsOfAPlanOnValues) {
  const Dims shapes[kMaxArity];
  for_functions(shapes, [](const graph::Node& node, const NodeRef& planned) {
    const auto& elementwise = *node.as<graph::Elementwise>();
    SmallOperand values[kMaxArity];
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      const graph::Node* input = unconverted(node.inputs[k]);
      values[k].value.dtype = input->dtype;
      std::memcpy(values[k].value.bytes, input->as<graph::InMemory>()->memory->data(),
                  static_cast<std::size_t>(input->bytes()));
    }
    const ElementwiseTypes types{elementwise.compute, node.dtype};
    const graph::Scalar found = elementwise_of_values(elementwise.op, types, std::span(values, node.inputs.size()));
    evaluate({request_of(planned)});
    const std::byte* expected = planned->as<graph::InMemory>()->memory->data();
    EXPECT_EQ(found.dtype, node.dtype);
    EXPECT_EQ(std::memcmp(found.bytes, expected, static_cast<std::size_t>(node.bytes())), 0) << graph::node_text(node);
  });
}

TEST(AtOnce, ConvertsOperandsAsAPlanDoes) {
  const NodeRef narrow = node_of(numbers(DType::k_int8, {5}, 2));
  const NodeRef wide = node_of(numbers(DType::k_float64, {5}, 3));
  const NodeRef one = node_of(numbers(DType::k_uint16, {}, 4));
  const NodeRef half = graph::make_constant(graph::Scalar::of(0.5f), {});
  for (const auto& [a, b] : {std::pair(narrow, wide), {wide, one}, {narrow, half}, {one, wide}}) {
    const NodeRef node = graph::make_elementwise(Op::k_divide, {a, b});
    expect_same_bits(*node, graph::make_elementwise(Op::k_divide, {a, b}));
  }
}

TEST(AtOnce, PacksElementsInSteps) {
  for (const DType dtype : {DType::k_int8, DType::k_float32, DType::k_complex128}) {
    for (const std::int64_t step : {2, 3, -1, -2}) {
      Index index;
      index.step = step;
      const graph::NodeRef all = node_of(numbers(dtype, {41}, 2));
      const auto& whole = *all->as<graph::InMemory>();
      const NodeRef x = graph::make_memory(dtype, whole.memory, view_index(whole.layout, {index}));
      const NodeRef y = node_of(numbers(DType::k_complex128, x->shape, 3));
      const auto product = [&] { return graph::make_elementwise(Op::k_multiply, {x, x}); };
      const auto converted = [&] { return graph::make_elementwise(Op::k_multiply, {x, y}); };
      const auto total = [&] { return graph::make_reduce(Reduction::k_sum, x, {0}, false); };
      expect_same_bits(*product(), product());
      expect_same_bits(*converted(), converted());
      expect_same_bits(*total(), total());
    }
  }
}

TEST(AtOnce, PacksAndConvertsBlockByBlock) {
  for (const std::int64_t n : {511, 512, 513, 1000}) {
    const NodeRef all = node_of(numbers(DType::k_float32, {2 * n}, 2));
    const NodeRef x = graph::make_memory(DType::k_float32, all->as<graph::InMemory>()->memory, {{n}, {8}, 0});
    const NodeRef y = node_of(numbers(DType::k_float64, {n}, 3));
    const NodeRef one = node_of(numbers(DType::k_float32, {}, 4));
    const auto chosen = [&](const NodeRef& a, const NodeRef& b) {
      return graph::make_elementwise(Op::k_where, {graph::make_cast(x, DType::k_bool), a, b});
    };
    const auto mean = [&] { return graph::make_reduce(Reduction::k_moments, x, {0}, false); };
    for (const auto& [a, b] : {std::pair(x, y), {x, one}, {one, y}}) expect_same_bits(*chosen(a, b), chosen(a, b));
    expect_same_bits(*mean(), mean());
  }
}

TEST(AtOnce, CastsWithTheBitsOfAPlan) {
  for (int from = 0; from < kDTypeCount; ++from) {
    for (int to = 0; to < kDTypeCount; ++to) {
      for (const std::int64_t step : {1, 2, -3}) {
        const auto dtype = static_cast<DType>(from);
        if (from == to) continue;
        Index index;
        index.step = step;
        const NodeRef all = node_of(numbers(dtype, {1000}, 2));
        const auto& whole = *all->as<graph::InMemory>();
        const NodeRef x = graph::make_memory(dtype, whole.memory, view_index(whole.layout, {index}));
        const NodeRef node = graph::make_cast(x, static_cast<DType>(to));
        const NodeRef found = cast_at_once(*x, static_cast<DType>(to));
        ASSERT_NE(found, nullptr);
        evaluate({request_of(node)});
        const auto bytes = static_cast<std::size_t>(node->bytes());
        EXPECT_EQ(found->dtype, node->dtype);
        EXPECT_EQ(found->shape, node->shape);
        EXPECT_EQ(std::memcmp(found->as<graph::InMemory>()->memory->data(), node->as<graph::InMemory>()->memory->data(),
                              bytes),
                  0)
            << name_of(dtype) << " to " << name_of(node->dtype) << ", step " << step;
      }
    }
  }
}

TEST(AtOnce, LeavesWhatIsTooMuchToPackToPlans) {
  // bool results are small where their operands are not
  for (const DType dtype : {DType::k_float64, DType::k_complex128}) {
    for (const std::int64_t n : {kMostAtOnce / size_of(dtype), kMostAtOnce / size_of(dtype) + 1, kMostAtOnce}) {
      const NodeRef all = node_of(numbers(dtype, {2 * n}));
      const auto memory = all->as<graph::InMemory>()->memory;
      const NodeRef x = graph::make_memory(dtype, memory, {{n}, {2 * size_of(dtype)}, 0});
      const NodeRef y = node_of(numbers(DType::k_int8, {n}, 2));
      const auto negated = [&] { return graph::make_elementwise(Op::k_logical_not, {x}); };
      const bool fits = n * size_of(dtype) <= kMostAtOnce;
      EXPECT_EQ(at_once(*negated()) != nullptr, fits) << n;
      if (fits) expect_same_bits(*negated(), negated());
      // The condition lies in steps and is converted.
      const NodeRef condition = graph::make_elementwise(Op::k_where, {graph::make_cast(x, DType::k_bool), y, y});
      EXPECT_EQ(at_once(*condition) != nullptr, fits) << n;
    }
  }
}

TEST(AtOnce, ReducesToOneValueWithTheBitsOfAPlan) {
  for (const Dims& shape : {Dims{1}, Dims{}, Dims{2, 3}, Dims{63}, Dims{64}, Dims{4, 5, 13}, Dims{500, 1}, Dims{511},
                            Dims{512}, Dims{1023}, Dims{1024}, Dims{2049}, Dims{4096}}) {
    std::vector<int> axes;
    for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) axes.push_back(axis);
    for_reductions([&](Reduction reduction, DType dtype) {
      const NodeRef x = node_of(numbers(dtype, shape, 2));
      const NodeRef node = graph::make_reduce(reduction, x, axes, false);
      const std::int64_t widest = std::max(size_of(node->inputs[0]->dtype), size_of(dtype));
      if (count(shape) * widest > kMostAtOnce) return;
      expect_same_bits(*node, graph::make_reduce(reduction, x, axes, false));
    });
  }
}

TEST(AtOnce, ReducesMoreThanItPacksWhereAKernelReadsItAsItLies) {
  constexpr std::int64_t kN = kMostReducedAtOnce / 4;
  for_reductions([&](Reduction reduction, DType dtype) {
    if (size_of(dtype) != 4) return;
    for (const std::int64_t n : {std::int64_t{100'003}, kN, kN + 1}) {
      const NodeRef x = node_of(numbers(dtype, {n}, 2));
      const auto reduced = [&] { return graph::make_reduce(reduction, x, {0}, false); };
      const NodeRef node = reduced();
      const bool whole = node->inputs[0]->dtype == dtype && n <= kN;
      if (whole) expect_same_bits(*node, reduced());
      EXPECT_EQ(at_once(*node) != nullptr, whole) << graph::node_text(*node) << ", " << n;
    }
    // Every other element would have to be packed.
    const NodeRef x = node_of(numbers(dtype, {2 * 100'003}, 2));
    const NodeRef apart = graph::make_memory(dtype, x->as<graph::InMemory>()->memory, {{100'003}, {8}, 0});
    EXPECT_EQ(at_once(*graph::make_reduce(reduction, apart, {0}, false)), nullptr);
  });
}

TEST(AtOnce, MultipliesVectorsWithTheBitsOfAPlan) {
  for (const DType dtype : {DType::k_bool, DType::k_uint8, DType::k_int64, DType::k_float32, DType::k_complex128}) {
    const std::int64_t most = kMostReducedAtOnce / size_of(dtype);
    for (const std::int64_t n : {std::int64_t{1}, std::int64_t{17}, std::int64_t{5'003}, most, most + 1}) {
      const NodeRef x = node_of(numbers(dtype, {n}, 2));
      const NodeRef y = node_of(numbers(dtype, {n}, 3));
      const NodeRef found = dot_at_once(*x, *y);
      ASSERT_EQ(found != nullptr, n <= most) << name_of(dtype) << ", " << n;
      if (found == nullptr) continue;
      const NodeRef planned = graph::make_operator(dtype, {}, make_vecdot(dtype, {n}, {n}), {x, y});
      evaluate({request_of(planned)});
      EXPECT_EQ(found->shape, Dims{});
      EXPECT_TRUE(values_of(found).bytes == values_of(planned).bytes) << name_of(dtype) << ", " << n;
    }
    const NodeRef x = node_of(numbers(dtype, {40}, 2));
    const NodeRef apart = graph::make_memory(dtype, x->as<graph::InMemory>()->memory, {{20}, {2 * size_of(dtype)}, 0});
    EXPECT_EQ(dot_at_once(*apart, *apart), nullptr) << "it would have to be packed";
  }
}

TEST(AtOnce, MultipliesMatricesWithTheBitsOfAPlan) {
  for (const DType dtype : {DType::k_bool, DType::k_uint8, DType::k_int64, DType::k_float32, DType::k_complex128}) {
    const std::int64_t most = kMostMultipliedAtOnce / size_of(dtype);
    const auto check = [&](const NodeRef& a, const NodeRef& b, bool brief) {
      const Dims shape{a->shape[0], b->shape[1]};
      const NodeRef found = matmul_at_once(*a, *b);
      ASSERT_EQ(found != nullptr, brief) << name_of(dtype) << ", " << shape_text(a->shape) << shape_text(b->shape);
      if (!brief) return;
      const NodeRef planned = graph::make_operator(dtype, shape, make_matmul(dtype, a->shape, b->shape), {a, b});
      evaluate({request_of(planned)});
      EXPECT_EQ(found->shape, shape);
      EXPECT_TRUE(values_of(found).bytes == values_of(planned).bytes) << name_of(dtype) << ", " << shape_text(shape);
    };
    const auto of = [&](std::int64_t rows, std::int64_t columns) {
      return node_of(numbers(dtype, {rows, columns}, 2));
    };
    check(of(2, 1), of(1, 2), true);
    check(of(17, 5), of(5, 49), true);
    check(of(64, most / 4096), of(most / 4096, 64), true);
    check(of(64, most / 4096 + 1), of(most / 4096 + 1, 64), false);
    check(of(1, 9), of(9, 9), false);
    check(of(9, 9), of(9, 1), false);
    check(of(3, 0), of(0, 3), false);
    check(of(0, 3), of(3, 3), false);
    // Few products of many elements: the result, then an operand, is too much.
    check(of(2, 1), of(1, kMostReducedAtOnce / 2 / size_of(dtype) + 1), false);
    check(of(kMostReducedAtOnce / 2 / size_of(dtype) + 1, 2), of(2, 2), false);
    // Rows backwards by columns of the transposed matrix.
    const NodeRef x = of(20, 30);
    const auto memory = x->as<graph::InMemory>()->memory;
    const std::int64_t size = size_of(dtype);
    const NodeRef backwards = graph::make_memory(dtype, memory, {{20, 15}, {-30 * size, 2 * size}, 19 * 30 * size});
    const NodeRef turned = graph::make_memory(dtype, memory, {{15, 20}, {2 * size, 30 * size}, 0});
    check(backwards, turned, true);
    check(backwards, graph::make_elementwise(Op::k_where, {node_of(numbers(DType::k_bool, {15, 20})), turned, turned}),
          false);
  }
}

TEST(AtOnce, LeavesMatricesThatTheBudgetHasNoRoomForToPlans) {
  const NodeRef x = node_of(numbers(DType::k_float32, {64, 64}, 2));
  const std::int64_t used = memory::Governor::instance().used();
  {
    const BudgetSetting budget(used + (32 << 10));  // the result and one packed operand
    EXPECT_EQ(matmul_at_once(*x, *x), nullptr);
  }
  const BudgetSetting budget(used + (1 << 20));
  EXPECT_NE(matmul_at_once(*x, *x), nullptr);
}

TEST(AtOnce, LaysOutWhatNoOneStepLeadsThrough) {
  for (const DType dtype : {DType::k_int8, DType::k_float32, DType::k_complex128}) {
    const NodeRef all = node_of(numbers(dtype, {3, 4, 5}, 2));
    const auto& whole = *all->as<graph::InMemory>();
    const auto viewed = [&](const Layout& layout) { return graph::make_memory(dtype, whole.memory, layout); };
    Index third;
    third.step = -3;
    const NodeRef apart = viewed(view_index(whole.layout, {Index{}, third, Index{}}));
    const NodeRef some = viewed(view_index(whole.layout, {Index{}, Index{}, third}));
    const NodeRef turned = viewed(view_permute(whole.layout, {2, 0, 1}));
    EXPECT_EQ(at_once(*graph::make_elementwise(Op::k_add, {turned, turned})), nullptr);
    const NodeRef row = node_of(numbers(dtype, {1, 5}, 3));
    const NodeRef column = node_of(numbers(dtype, {4, 1}, 4));
    const NodeRef block = node_of(numbers(DType::k_float64, {3, 1, 5}, 5));
    for (const auto& [a, b] : {std::pair(apart, apart),
                               {apart, row},
                               {row, column},
                               {all, row},
                               {column, block},
                               {all, column},
                               {block, all}}) {
      const auto sum = [&, &a = a, &b = b] { return graph::make_elementwise(Op::k_add, {a, b}); };
      expect_same_bits(*sum(), sum());
    }
    for (const NodeRef& x : {some, apart}) {
      const auto total = [&] { return graph::make_reduce(Reduction::k_sum, x, {0, 1, 2}, false); };
      expect_same_bits(*total(), total());
    }
  }
}

TEST(AtOnce, LeavesTheRestToPlans) {
  const NodeRef table = node_of(numbers(DType::k_float32, {4, 4}, 1));
  const NodeRef lazy = graph::make_elementwise(Op::k_add, {table, table});
  const NodeRef large = node_of(numbers(DType::k_float32, {kMostAtOnce / 4 + 1}, 1));
  const NodeRef wide = node_of(numbers(DType::k_float64, {kMostAtOnce / 8 + 1}, 1));
  const NodeRef none = node_of(numbers(DType::k_float32, {0}, 1));
  const NodeRef cases[] = {
      graph::make_elementwise(Op::k_add, {lazy, table}),
      graph::make_elementwise(Op::k_add, {large, large}),
      graph::make_elementwise(Op::k_equal, {wide, wide}),
      graph::make_elementwise(Op::k_add, {none, none}),
      graph::make_cast(table, DType::k_float64),
      graph::make_reduce(Reduction::k_sum, table, {0}, false),
      graph::make_reduce(Reduction::k_max, lazy, {0, 1}, false),
  };
  for (const NodeRef& each : cases) {
    EXPECT_FALSE(at_once(*each)) << graph::node_text(*each);
  }
}

TEST(AtOnce, LeavesMisalignedElementsToPlans) {
  const auto memory = std::make_shared<Borrowed>(64);
  const NodeRef odd = graph::make_memory(DType::k_float32, memory, {{4}, {4}, 1});
  EXPECT_FALSE(at_once(*graph::make_elementwise(Op::k_add, {odd, odd})));
}

TEST(AtOnce, KeepsToTheBudget) {
  const NodeRef a = node_of(numbers(DType::k_float32, {4000}, 1));
  const NodeRef node = graph::make_elementwise(Op::k_add, {a, a});
  const BudgetSetting tight(1000);
  EXPECT_THROW(at_once(*node), BudgetError);
}

}  // namespace
}  // namespace penstock::run
