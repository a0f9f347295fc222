// SPDX-License-Identifier: Apache-2.0
#include "penstock/graph/node.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "penstock/base/error.h"

namespace penstock::graph {
namespace {

NodeRef constant(double value, Dims shape = {}) { return make_constant(Scalar::of(value), std::move(shape)); }

NodeRef memory_node(const Dims& shape) {
  const Layout layout = contiguous(shape, 8);
  return make_memory(DType::k_float64, memory::share(memory::Buffer::allocate(8 * count(shape), "a test")), layout);
}

View view_of(View::Type type, Dims shape) { return {type, {}, {}, std::move(shape)}; }

TEST(Node, MakersInferDtypeAndShape) {
  const NodeRef a = constant(1, {3, 1});
  const NodeRef b = make_iota(Scalar::of(std::int32_t{0}), Scalar::of(std::int32_t{1}), {4});
  const NodeRef sum = make_elementwise(Op::k_add, {a, b});
  EXPECT_EQ(sum->shape, (Dims{3, 4}));
  EXPECT_EQ(sum->dtype, DType::k_float64);
  EXPECT_EQ(sum->inputs[0], a);
  ASSERT_NE(sum->inputs[1], b);  // converted on the way
  EXPECT_NE(sum->inputs[1]->as<CastTo>(), nullptr);
  EXPECT_EQ(make_elementwise(Op::k_less, {a, b})->dtype, DType::k_bool);
  const NodeRef total = make_reduce(Reduction::k_sum, b, {0}, true);
  EXPECT_EQ(total->dtype, DType::k_int64);
  EXPECT_EQ(total->shape, (Dims{1}));
  EXPECT_EQ(make_histogram(b, {0, 1, 2}, 1)->shape, (Dims{2}));
  EXPECT_EQ(make_cast(b, DType::k_int32), b);
}

TEST(Node, MakersComplainAtOnce) {
  EXPECT_THROW(make_elementwise(Op::k_add, {constant(1, {3}), constant(1, {4})}), ShapeError);
  EXPECT_THROW(make_elementwise(Op::k_bitwise_and, {constant(1), constant(1)}), DTypeError);
  EXPECT_THROW(make_constant(Scalar::of(1.0), {-1}), ShapeError);
  EXPECT_THROW(make_constant(Scalar::of(1.0), {std::int64_t{1} << 40, std::int64_t{1} << 40}), ShapeError);
  EXPECT_THROW(make_view(constant(1, {3}), view_of(View::Type::kBroadcast, {4})), ShapeError);
  EXPECT_THROW(make_reduce(Reduction::k_max, constant(1, {0}), {0}, false), ShapeError);
  const View far{View::Type::kIndex, {{Index::Type::kInteger, 3, {}, 1, false}}, {}, {}};
  EXPECT_THROW(make_view(constant(1, {3}), far), OutOfRangeError);
}

TEST(Node, IsFoundInMemoryWithoutALockOnceItHoldsItsElements) {
  const NodeRef leaf = memory_node({4, 6});
  ASSERT_NE(leaf->in_memory(), nullptr);
  EXPECT_EQ(leaf->in_memory()->layout, contiguous({4, 6}, 8));
  EXPECT_EQ(make_view(leaf, view_of(View::Type::kReshape, {24}))->in_memory(), nullptr);
  const NodeRef sum = make_elementwise(Op::k_add, {leaf, leaf});
  EXPECT_EQ(sum->in_memory(), nullptr);
  {
    const std::lock_guard lock(graph_mutex());
    sum->settle(*memory_node({4, 6})->in_memory());
  }
  ASSERT_NE(sum->in_memory(), nullptr);
  EXPECT_EQ(sum->in_memory()->layout, contiguous({4, 6}, 8));
  EXPECT_EQ(sum->depth, 0);
}

TEST(Node, ResidentSeesThroughViewsThatStridesExpress) {
  const NodeRef leaf = memory_node({4, 6});
  const NodeRef turned = make_view(leaf, {View::Type::kPermute, {}, {1, 0}, {}});
  const NodeRef part = make_view(turned, {View::Type::kIndex, {{Index::Type::kSlice, 1, 5, 2, true}}, {}, {}});
  const auto found = resident(*part);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->layout, (Layout{{2, 4}, {16, 48}, 8}));
  EXPECT_FALSE(resident(*make_view(turned, view_of(View::Type::kReshape, {24}))));
  EXPECT_TRUE(resident(*make_view(leaf, view_of(View::Type::kReshape, {24}))));
  EXPECT_FALSE(resident(*constant(1)));
  EXPECT_FALSE(resident(*make_elementwise(Op::k_negative, {leaf})));
}

TEST(Node, DepthCountsTheLongestChain) {
  NodeRef at = memory_node({2});
  EXPECT_EQ(at->depth, 0);
  for (int i = 1; i <= 10; ++i) {
    at = make_elementwise(Op::k_add, {at, constant(1)});
    EXPECT_EQ(at->depth, i);
  }
}

TEST(Node, TextNamesTheOperation) {
  const NodeRef leaf = memory_node({4, 6});
  EXPECT_EQ(node_text(*leaf), "memory");
  EXPECT_EQ(node_text(*make_elementwise(Op::k_hypot, {leaf, leaf})), "hypot");
  EXPECT_EQ(node_text(*make_reduce(Reduction::k_sum, leaf, {0, 1}, false)), "sum over axes (0, 1)");
  EXPECT_EQ(node_text(*make_cast(leaf, DType::k_int8)), "astype int8");
  EXPECT_EQ(node_text(*make_view(leaf, view_of(View::Type::kReshape, {24}))), "reshape");
}

TEST(Node, AChainOfAnyLengthIsTakenApart) {
  NodeRef at = memory_node({2});
  const std::weak_ptr<Node> first = at;
  for (int i = 0; i < 300'000; ++i) at = make_elementwise(Op::k_negative, {at});
  at.reset();
  EXPECT_TRUE(first.expired());
}

TEST(Node, AChainOfPairsIsTakenApart) {
  // Each node twice below the next: as a tree it would have 2^100,000 leaves.
  NodeRef at = memory_node({2});
  const std::weak_ptr<Node> first = at;
  for (int i = 0; i < 100'000; ++i) at = make_elementwise(Op::k_add, {at, at});
  at.reset();
  EXPECT_TRUE(first.expired());
}

TEST(Node, WhatOthersHoldStays) {
  const NodeRef leaf = memory_node({2});
  const NodeRef middle = make_elementwise(Op::k_negative, {make_elementwise(Op::k_negative, {leaf})});
  NodeRef top = make_elementwise(Op::k_negative, {middle});
  top.reset();
  ASSERT_EQ(middle->inputs.size(), 1u);
  EXPECT_EQ(middle->inputs[0]->inputs[0], leaf);
}

TEST(Node, ThreadsDropSharedChains) {
  for (int round = 0; round < 20; ++round) {
    NodeRef shared = memory_node({2});
    const std::weak_ptr<Node> first = shared;
    for (int i = 0; i < 200; ++i) shared = make_elementwise(Op::k_negative, {shared});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([mine = make_elementwise(Op::k_abs, {shared})]() mutable {
        for (int i = 0; i < 50; ++i) mine = make_elementwise(Op::k_negative, {mine});
        {
          const std::lock_guard lock(graph_mutex());
          EXPECT_FALSE(resident(*mine));
        }
        mine.reset();
      });
    }
    shared.reset();
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(first.expired());
  }
}

}  // namespace
}  // namespace penstock::graph
