// SPDX-License-Identifier: Apache-2.0
// Matrix and dot products against plain loops, and the same bits however they are cut.
#include "penstock/run/matmul.h"
#include "penstock/run/operate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include "penstock/base/error.h"
#include "penstock/base/temporary_directory.h"
#include "penstock/op/products.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

graph::NodeRef matmul_node(const graph::NodeRef& a, const graph::NodeRef& b) {
  return graph::make_operator(a->dtype, matmul_shape(a->shape, b->shape), make_matmul(a->dtype, a->shape, b->shape),
                              {a, b});
}

graph::NodeRef vecdot_node(const graph::NodeRef& a, const graph::NodeRef& b) {
  return graph::make_operator(a->dtype, vecdot_shape(a->shape, b->shape), make_vecdot(a->dtype, a->shape, b->shape),
                              {a, b});
}

/// Small whole numbers, whose products are exact in every dtype that they are used with.
Plain numbers(DType dtype, const Dims& shape, int seed) {
  Plain small(DType::k_int32, shape);
  for (std::int64_t i = 0; i < small.size(); ++i)
    small.as<std::int32_t>()[i] = static_cast<std::int32_t>((i * 7919 + seed * 104729) % 17);
  return plain::cast(small, dtype);
}

/// Fractions whose sums round, so that another order of additions shows.
Plain fractions(const Dims& shape, int seed) {
  Plain p(DType::k_float32, shape);
  for (std::int64_t i = 0; i < p.size(); ++i)
    p.as<float>()[i] = 1.0F / static_cast<float>(1 + (i * 31 + seed * 17) % 1009) - 0.01F;
  return p;
}

/// By three loops over exact numbers.
Plain plain_matmul(const Plain& a, const Plain& b) {
  const Plain x = plain::cast(a, DType::k_float64);
  const Plain y = plain::cast(b, DType::k_float64);
  const std::int64_t m = a.shape[0];
  const std::int64_t k = a.shape[1];
  const std::int64_t n = b.shape[1];
  Plain out(DType::k_float64, {m, n});
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::int64_t p = 0; p < k; ++p) sum += x.as<double>()[i * k + p] * y.as<double>()[p * n + j];
      out.as<double>()[i * n + j] = sum;
    }
  }
  return plain::cast(out, a.dtype);
}

TEST(Matmul, SizesAroundTiles) {
  for (const std::int64_t m : {0, 1, 2, 7, 8, 9, 33}) {
    for (const std::int64_t n : {0, 1, 15, 16, 17, 47, 48, 49, 100}) {
      for (const std::int64_t k : {0, 1, 5, 257}) {
        const Plain a = numbers(DType::k_float32, {m, k}, 1);
        const Plain b = numbers(DType::k_float32, {k, n}, 2);
        EXPECT_EQ(difference(evaluated(matmul_node(node_of(a), node_of(b))), plain_matmul(a, b)), "")
            << m << " " << n << " " << k;
      }
    }
  }
}

TEST(Matmul, EveryDtypeAndOrderOfMemory) {
  for (const DType dtype : {DType::k_int32, DType::k_uint64, DType::k_float64, DType::k_float32}) {
    const Plain a = numbers(dtype, {130, 300}, 1);
    const Plain b = numbers(dtype, {300, 70}, 2);
    const Plain wanted = plain_matmul(a, b);
    EXPECT_EQ(difference(evaluated(matmul_node(node_of(a), node_of(b))), wanted), "");
    EXPECT_EQ(difference(evaluated(matmul_node(transposed_node_of(a), node_of(b))), wanted), "");
    EXPECT_EQ(difference(evaluated(matmul_node(node_of(a), transposed_node_of(b))), wanted), "");
    EXPECT_EQ(difference(evaluated(matmul_node(transposed_node_of(a), transposed_node_of(b))), wanted), "");
  }
}

TEST(Matmul, VectorsInEitherPlace) {
  for (const std::int64_t k : {1, 3000, 5000}) {
    const Plain a = numbers(DType::k_float64, {37, k}, 1);
    const Plain x = numbers(DType::k_float64, {k, 1}, 2);
    const Plain wanted = plain_matmul(a, x);
    EXPECT_EQ(difference(evaluated(matmul_node(node_of(a), node_of(x))), wanted), "");
    EXPECT_EQ(difference(evaluated(matmul_node(transposed_node_of(a), node_of(x))), wanted), "");
    const auto turned = [](const Plain& p) { return plain::permute(p, {1, 0}); };
    EXPECT_EQ(difference(evaluated(matmul_node(node_of(turned(x)), transposed_node_of(turned(a)))), turned(wanted)),
              "");
    EXPECT_EQ(difference(evaluated(matmul_node(node_of(turned(x)), node_of(turned(a)))), turned(wanted)), "");
  }
}

TEST(Matmul, BatchAxesBroadcast) {
  const Plain a = numbers(DType::k_int64, {3, 1, 4, 5}, 1);
  const Plain b = numbers(DType::k_int64, {2, 5, 6}, 2);
  const Plain got = evaluated(matmul_node(node_of(a), node_of(b)));
  ASSERT_EQ(got.shape, (Dims{3, 2, 4, 6}));
  const auto part = [](const Plain& p, std::vector<std::int64_t> at) {
    std::vector<Index> indices;
    for (const std::int64_t i : at) indices.push_back({Index::Type::kInteger, i, {}, 1, false});
    return plain::index(p, indices);
  };
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < 2; ++j)
      EXPECT_EQ(difference(part(got, {i, j}), plain_matmul(part(a, {i, 0}), part(b, {j}))), "");
  }
}

TEST(Matmul, TheSameBitsForAnyThreadCountOrderAndTarget) {
  const Plain a = fractions({211, 777}, 1);
  const Plain b = fractions({777, 305}, 2);
  const ThreadSetting one(1);
  const Plain wanted = evaluated(matmul_node(node_of(a), node_of(b)));
  for (const int threads : {2, 3, 7}) {
    const ThreadSetting several(threads);
    EXPECT_EQ(difference(evaluated(matmul_node(node_of(a), node_of(b))), wanted), "") << threads;
    EXPECT_EQ(difference(evaluated(matmul_node(transposed_node_of(a), transposed_node_of(b))), wanted), "") << threads;
  }
  for (const simd::Target target : simd::targets()) {
    if (target == simd::Target::kSse4 || (target == simd::Target::kScalar && !simd::has_fma())) continue;
    const TargetSetting setting(target);
    EXPECT_EQ(difference(evaluated(matmul_node(node_of(a), node_of(b))), wanted), "") << simd::target_name(target);
  }
}

TEST(Matmul, OperandsMayBeExpressionsFilesAndProducts) {
  const TemporaryDirectory directory;
  const Plain a = numbers(DType::k_float32, {20, 30}, 1);
  const Plain b = numbers(DType::k_float32, {30, 10}, 2);
  const graph::NodeRef file = file_node(directory.put("a.npy", npy_text(a)));
  const graph::NodeRef twice = graph::make_elementwise(Op::k_add, {node_of(b), node_of(b)});
  const graph::NodeRef product = matmul_node(file, twice);
  const graph::NodeRef root =
      graph::make_elementwise(Op::k_negative, {matmul_node(product, node_of(plain::permute(b, {1, 0})))});
  const Plain c = plain_matmul(a, plain::elementwise(Op::k_add, {b, b}));
  const Plain wanted = plain::elementwise(Op::k_negative, {plain_matmul(c, plain::permute(b, {1, 0}))});
  EXPECT_EQ(difference(evaluated(root), wanted), "");
  EXPECT_EQ(difference(values_of(product), c), "");
}

TEST(Matmul, IntoMemoryOfTheCaller) {
  const Plain a = numbers(DType::k_float32, {9, 9}, 1);
  const graph::NodeRef x = node_of(a);
  const auto& in = *x->as<graph::InMemory>();
  Request request = request_of(matmul_node(x, x));
  request.destination.kind = Destination::Kind::kMemory;
  request.destination.memory = std::make_shared<Borrowed>(9 * 20 * 4);
  request.destination.layout = {{9, 9}, {80, 4}, 0};
  evaluate({request});
  const Plain wanted = plain_matmul(a, a);
  EXPECT_EQ(difference(plain_in(request.destination.memory->data(), request.destination.layout, a.dtype), wanted), "");
  // Over its own operand: computed apart.
  request.destination.memory = in.memory;
  request.destination.layout = in.layout;
  evaluate({request});
  EXPECT_EQ(difference(plain_in(in.memory->data(), in.layout, a.dtype), wanted), "");
}

TEST(Matmul, FilesLargerThanTheBudgetIntoAFile) {
  const TemporaryDirectory directory;
  const Plain a = fractions({1500, 1700}, 1);
  const Plain b = fractions({1700, 1300}, 2);
  const Plain wanted = evaluated(matmul_node(node_of(a), node_of(b)));
  const std::string left = directory.put("a.npy", npy_text(a));
  const std::string right = directory.put("b.npy", npy_text(b));
  const BudgetSetting budget(memory::Governor::instance().used() + (9 << 20));
  Request request = request_to_file(matmul_node(file_node(left), file_node(right)), directory.path("c.npy"));
  evaluate({request});
  request.destination.sink->commit();
  const auto c = store::open_npy(directory.path("c.npy"));
  EXPECT_EQ(difference(plain_in(c->mapping().data(), c->format().layout, DType::k_float32), wanted), "");
  // Beside a result that is kept there is room for small steps; without room for it there are none.
  EXPECT_EQ(difference(evaluated(matmul_node(file_node(left), file_node(right))), wanted), "");
  const BudgetSetting less(memory::Governor::instance().used() + (6 << 20));
  EXPECT_THROW(evaluate({request_of(matmul_node(file_node(left), file_node(right)))}), BudgetError);
}

TEST(Matmul, StepsCoverTheOutputOnceAndFit) {
  const Dims a{3, 700, 900};
  const Dims b{900, 500};
  const auto op = make_matmul(DType::k_float32, a, b);
  EXPECT_EQ(op->steps(std::numeric_limits<std::int64_t>::max()).size(), 1u);
  for (const std::int64_t bytes : {300'000, 1'000'000, 3'000'000}) {
    std::int64_t written = 0;
    std::int64_t products = 0;
    for (const graph::Step& step : op->steps(bytes)) {
      const std::int64_t out = count(step.output.shape);
      std::int64_t taken = out;
      for (const graph::Box& box : step.inputs) taken += count(box.shape);
      EXPECT_LE(taken * 4, bytes);
      written += step.first ? out : 0;
      products += out * step.inputs[0].shape.back();
      EXPECT_EQ(step.inputs[0].begin.back() % kernel::kProductDepth, 0);
    }
    EXPECT_EQ(written, 3 * 700 * 500);
    EXPECT_EQ(products, std::int64_t{3} * 700 * 900 * 500);
  }
}

TEST(Matmul, StepsMoveFewElements) {
  const std::int64_t side = 12288;
  const auto op = make_matmul(DType::k_float32, {side, side}, {side, side});
  std::int64_t read = 0;
  for (const graph::Step& step : op->steps(207 << 20)) {
    EXPECT_EQ(step.output.shape[1], side);  // whole rows go past the page cache
    EXPECT_GE(step.inputs[0].shape[1] * 4, 4096);
    for (const graph::Box& box : step.inputs) read += count(box.shape);
  }
  EXPECT_LE(read, 5 * side * side);  // squares of a third of the room read eight matrices
  // Where whole rows leave room for few of them, squares move less.
  const std::int64_t wide = 100'000;
  read = 0;
  for (const graph::Step& step : make_matmul(DType::k_float32, {wide, wide}, {wide, wide})->steps(64 << 20)) {
    for (const graph::Box& box : step.inputs) read += count(box.shape);
  }
  EXPECT_LE(read, 70 * wide * wide);
  // Of fewer rows than a tile has, all.
  for (const graph::Step& step : make_matmul(DType::k_float32, {3, side}, {side, side})->steps(64 << 20))
    EXPECT_EQ(step.output.shape[1], side);
}

TEST(Matmul, IsStoppedInTheMiddle) {
  const ThreadSetting one(1);
  const Plain a = fractions({1800, 1800}, 1);
  int polls = 0;
  Options options;
  options.poll = [&](const Progress&) {
    if (++polls == 2) throw std::runtime_error("stopped");
  };
  const graph::NodeRef x = node_of(a);
  const graph::NodeRef node = matmul_node(x, x);
  EXPECT_THROW(evaluate({request_of(node)}, options), std::runtime_error);
  EXPECT_EQ(polls, 2);
  EXPECT_EQ(evaluated(node).size(), 1800 * 1800);
}

TEST(Matmul, ThePlanNamesIt) {
  const graph::NodeRef x = node_of(numbers(DType::k_float32, {4, 4}, 1));
  const PlanReport report = explain({request_of(graph::make_elementwise(Op::k_negative, {matmul_node(x, x)}))});
  ASSERT_EQ(report.passes.size(), 2u);
  EXPECT_EQ(report.passes[0].pipelines[0].work, "operate");
  EXPECT_EQ(report.passes[0].pipelines[0].outputs[0], "matmul: float32 (4, 4)");
  EXPECT_EQ(report.passes[1].pipelines[0].work, "store");
}

TEST(Vecdot, TheSameBitsForAnyThreadCountLayoutAndBudget) {
  const TemporaryDirectory directory;
  const std::int64_t n = (5 << 20) / 2 + 12345;
  const Plain x = fractions({n}, 1);
  const Plain y = fractions({n}, 2);
  const ThreadSetting one(1);
  const Plain wanted = evaluated(vecdot_node(node_of(x), node_of(y)));
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i)
    sum += static_cast<double>(x.as<float>()[i]) * static_cast<double>(y.as<float>()[i]);
  EXPECT_NEAR(wanted.as<float>()[0] / sum, 1, 1e-6);
  for (const int threads : {2, 5}) {
    const ThreadSetting several(threads);
    EXPECT_EQ(difference(evaluated(vecdot_node(node_of(x), node_of(y))), wanted), "") << threads;
  }
  const graph::NodeRef flipped =
      graph::make_view(node_of(plain::flip(x, {0})), {graph::View::Type::kFlip, {}, {0}, {}});
  EXPECT_EQ(difference(evaluated(vecdot_node(flipped, node_of(y))), wanted), "");
  const graph::NodeRef left = file_node(directory.put("x.npy", npy_text(x)));
  const graph::NodeRef right = file_node(directory.put("y.npy", npy_text(y)));
  const BudgetSetting budget(memory::Governor::instance().used() + (14 << 20));
  EXPECT_EQ(difference(evaluated(vecdot_node(left, right)), wanted), "");
}

TEST(Operate, TheWholeAtOnceHasTheBitsOfSteps) {
  const TemporaryDirectory directory;
  const Plain a = fractions({300, 200}, 1);
  const Plain b = fractions({200, 100}, 2);
  const Plain x = fractions({90'000}, 3);
  const graph::NodeRef product = matmul_node(node_of(a), node_of(b));
  const graph::NodeRef sum = vecdot_node(node_of(x), node_of(x));
  for (const graph::NodeRef& node : {product, sum}) {
    EXPECT_FALSE(operate_whole(node, {}, 10));
    EXPECT_TRUE(operate_whole(node, {}));
    EXPECT_FALSE(operate_whole(node, {}));  // nothing left to do
  }
  // Operands that have to be read are lent to steps.
  const graph::NodeRef of_file = matmul_node(file_node(directory.put("a.npy", npy_text(a))), node_of(b));
  const graph::NodeRef of_files = vecdot_node(file_node(directory.put("x.npy", npy_text(x))), node_of(x));
  EXPECT_FALSE(operate_whole(of_file, {}));
  EXPECT_EQ(difference(evaluated(product), evaluated(of_file)), "");
  EXPECT_EQ(difference(evaluated(sum), evaluated(of_files)), "");
}

TEST(Vecdot, RowsBroadcast) {
  const Plain a = numbers(DType::k_int16, {5, 1, 40}, 1);
  const Plain b = numbers(DType::k_int16, {3, 40}, 2);
  const Plain got = evaluated(vecdot_node(node_of(a), node_of(b)));
  ASSERT_EQ(got.shape, (Dims{5, 3}));
  for (std::int64_t i = 0; i < 5; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      std::int64_t sum = 0;
      for (std::int64_t p = 0; p < 40; ++p) sum += a.as<std::int16_t>()[i * 40 + p] * b.as<std::int16_t>()[j * 40 + p];
      EXPECT_EQ(got.as<std::int16_t>()[i * 3 + j], static_cast<std::int16_t>(sum));
    }
  }
}

}  // namespace
}  // namespace penstock::run
