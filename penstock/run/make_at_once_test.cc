// SPDX-License-Identifier: Apache-2.0
// Small arrays made where they are written have the bits that a plan gives; what is large is left to plans.
#include "penstock/run/make_at_once.h"

#include <gtest/gtest.h>

#include "penstock/run/at_once.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

using graph::NodeRef;

void expect_same(const NodeRef& found, const NodeRef& planned) {
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->shape, planned->shape);
  EXPECT_EQ(found->dtype, planned->dtype);
  evaluate({request_of(planned)});
  const auto values = [](const NodeRef& node) {
    const auto* in = node->as<graph::InMemory>();
    return plain_in(in->memory->data(), in->layout, node->dtype);
  };
  EXPECT_EQ(values(found).bytes, values(planned).bytes);
}

graph::Scalar first_of(const Plain& values) {
  graph::Scalar value;
  value.dtype = values.dtype;
  std::memcpy(value.bytes, values.at(0), static_cast<std::size_t>(size_of(values.dtype)));
  return value;
}

TEST(MakeAtOnce, FillsWithTheBitsOfAPlan) {
  for (int d = 0; d < kDTypeCount; ++d) {
    const graph::Scalar value = first_of(numbers(static_cast<DType>(d), {1}, 3));
    for (const Dims& shape : {Dims{}, Dims{1}, Dims{7}, Dims{3, 5}, Dims{1024}})
      expect_same(filled_at_once(value, shape), graph::make_constant(value, shape));
  }
}

TEST(MakeAtOnce, CountsWithTheBitsOfAPlan) {
  for (const std::int64_t n : {1, 2, 63, 1000}) {
    const auto same = [n](const graph::Scalar& start, const graph::Scalar& delta) {
      expect_same(counted_at_once(start, delta, n), graph::make_iota(start, delta, {n}));
    };
    same(graph::Scalar::of(std::int8_t{120}), graph::Scalar::of(std::int8_t{3}));
    same(graph::Scalar::of(std::uint64_t{7}), graph::Scalar::of(~std::uint64_t{0}));
    same(graph::Scalar::of(0.1), graph::Scalar::of(-0.3));
    same(graph::Scalar::of(0.1f), graph::Scalar::of(1e-3f));
  }
}

/// Arrays side by side along an axis, by a plan.
NodeRef planned_join(const std::vector<NodeRef>& parts, int axis, const Dims& shape, DType dtype) {
  std::vector<NodeRef> inputs;
  std::vector<std::vector<Index>> places;
  std::int64_t from = 0;
  for (const NodeRef& part : parts) {
    std::vector<Index> place(shape.size());
    Index& along = place[static_cast<std::size_t>(axis)];
    along.has_start = true;
    along.start = from;
    from += part->shape[static_cast<std::size_t>(axis)];
    along.stop = from;
    places.push_back(std::move(place));
    inputs.push_back(part->dtype == dtype ? part : graph::make_cast(part, dtype));
  }
  return graph::make_pieces(dtype, shape, std::move(inputs), std::move(places));
}

TEST(MakeAtOnce, JoinsWithTheBitsOfAPlan) {
  for (const DType dtype : {DType::k_bool, DType::k_int16, DType::k_float32, DType::k_complex128}) {
    for (int axis = 0; axis < 3; ++axis) {
      Dims shape{3, 4, 5};
      std::vector<NodeRef> parts;
      std::int64_t all = 0;
      for (const std::int64_t extent : {2, 0, 1, 7}) {
        Dims own = shape;
        own[static_cast<std::size_t>(axis)] = extent;
        parts.push_back(node_of(numbers(extent == 1 ? DType::k_int8 : dtype, own, static_cast<int>(extent) + 1)));
        all += extent;
      }
      shape[static_cast<std::size_t>(axis)] = all;
      const DType common = dtype == DType::k_bool ? DType::k_int8 : dtype;
      std::vector<const graph::Node*> nodes;
      for (const NodeRef& part : parts) nodes.push_back(part.get());
      expect_same(joined_at_once(nodes, axis, shape, common), planned_join(parts, axis, shape, common));
    }
  }
}

TEST(MakeAtOnce, JoinsWhatLiesInStepsBlockByBlock) {
  const NodeRef all = node_of(numbers(DType::k_float32, {2400}, 2));
  const auto& in = *all->as<graph::InMemory>();
  const NodeRef back = graph::make_memory(DType::k_float32, in.memory, {{600}, {-12}, 2399 * 4});
  const NodeRef odd = graph::make_memory(DType::k_float32, in.memory, {{513}, {8}, 4});
  const graph::Node* nodes[] = {back.get(), odd.get()};
  expect_same(joined_at_once(nodes, 0, {1113}, DType::k_float64),
              planned_join({back, odd}, 0, {1113}, DType::k_float64));
}

TEST(MakeAtOnce, LeavesTheRestToPlans) {
  const graph::Scalar one = graph::Scalar::of(1.0f);
  EXPECT_EQ(filled_at_once(one, {kMostAtOnce / 4 + 1}), nullptr);
  EXPECT_EQ(filled_at_once(one, {0}), nullptr);
  EXPECT_EQ(counted_at_once(one, one, kMostAtOnce / 4 + 1), nullptr);
  EXPECT_EQ(counted_at_once(one, one, 0), nullptr);
  const NodeRef few = node_of(numbers(DType::k_float32, {4}));
  const NodeRef lazy = graph::make_elementwise(Op::k_add, {few, few});
  const NodeRef many = node_of(numbers(DType::k_int8, {kMostAtOnce}));
  const graph::Node* unevaluated[] = {few.get(), lazy.get()};
  const graph::Node* large[] = {many.get(), many.get()};
  EXPECT_EQ(joined_at_once(unevaluated, 0, {8}, DType::k_float32), nullptr);
  EXPECT_EQ(joined_at_once(large, 0, {2 * kMostAtOnce}, DType::k_int8), nullptr);
}

}  // namespace
}  // namespace penstock::run
