// SPDX-License-Identifier: Apache-2.0
// Elements of small arrays by their places and places by their elements, against plain loops; and what is left to
// plans.
#include "penstock/run/choose_at_once.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/run/at_once.h"
#include "penstock/run/settings.h"
#include "penstock/type/slice.h"

namespace penstock::run {
namespace {

using graph::NodeRef;

/// The elements of 0, 1, 2 ... in each dtype, of which no two neighbours are equal.
Plain counted(DType dtype, const Dims& shape) {
  Plain values(dtype, shape);
  const std::int64_t size = size_of(dtype);
  for (std::int64_t i = 0; i < values.size(); ++i) {
    for (std::int64_t b = 0; b < size; ++b)
      values.at(i)[b] = static_cast<std::byte>(dtype == DType::k_bool ? i % 2 : i + b);
  }
  return values;
}

/// Indices in [-n, n) of an integer dtype, none negative where it has no sign.
Plain indices(DType dtype, std::int64_t n, const Dims& shape) {
  Plain index(dtype, shape);
  const bool signs = kind_of(dtype) == Kind::kInt;
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      for (std::int64_t i = 0; i < index.size(); ++i)
        index.as<T>()[i] = static_cast<T>(i * 7 % n - (signs && i % 3 == 0 ? n : 0));
    }
  });
  return index;
}

std::int64_t index_at(const Plain& index, std::int64_t i, std::int64_t n) {
  std::int64_t at = 0;
  visit(index.dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) at = static_cast<std::int64_t>(index.as<T>()[i]);
  });
  return at < 0 ? at + n : at;
}

Plain plain_take(const Plain& x, const Plain& index, const Lines& lines, const Dims& shape) {
  Plain out(x.dtype, shape);
  const auto bytes = static_cast<std::size_t>(lines.inner * size_of(x.dtype));
  for (std::int64_t o = 0; o < lines.outer; ++o) {
    for (std::int64_t j = 0; j < index.size(); ++j) {
      const std::int64_t from = (o * lines.n + index_at(index, j, lines.n)) * lines.inner;
      std::memcpy(out.at((o * index.size() + j) * lines.inner), x.at(from), bytes);
    }
  }
  return out;
}

Plain values_of(const NodeRef& node) {
  const auto* in = node->as<graph::InMemory>();
  return plain_in(in->memory->data(), in->layout, node->dtype);
}

void expect_equal(const NodeRef& found, const Plain& expected) {
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->shape, expected.shape);
  EXPECT_EQ(found->dtype, expected.dtype);
  EXPECT_EQ(values_of(found).bytes, expected.bytes);
}

/// Every n-th element of a vector from its begin, or backwards from its end.
NodeRef stepped(const NodeRef& x, std::int64_t step) {
  const auto& in = *x->as<graph::InMemory>();
  Index index;
  index.step = step;
  return graph::make_memory(x->dtype, in.memory, view_index(in.layout, {index}));
}

constexpr DType kIndexTypes[] = {DType::k_int8,  DType::k_int16,  DType::k_int32,  DType::k_int64,
                                 DType::k_uint8, DType::k_uint16, DType::k_uint32, DType::k_uint64};

TEST(ChooseAtOnce, TakesAlongEachAxis) {
  const Dims shape{3, 5, 4};
  for (int d = 0; d < kDTypeCount; ++d) {
    const Plain x = counted(static_cast<DType>(d), shape);
    for (const DType type : kIndexTypes) {
      for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        Lines lines{1, shape[axis], 1};
        for (std::size_t i = 0; i < axis; ++i) lines.outer *= shape[i];
        for (std::size_t i = axis + 1; i < shape.size(); ++i) lines.inner *= shape[i];
        const Plain index = indices(type, lines.n, {2, 3});
        Dims result(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis));
        result.insert(result.end(), index.shape.begin(), index.shape.end());
        result.insert(result.end(), shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end());
        expect_equal(take_at_once(*node_of(x), *node_of(index), lines, result), plain_take(x, index, lines, result));
      }
    }
  }
}

TEST(ChooseAtOnce, TakesFromVectorsAndByIndicesInSteps) {
  for (const std::int64_t k : {1, 2, 511, 512, 513, 2048}) {
    const Plain x = counted(DType::k_float32, {1000});
    const Plain index = indices(DType::k_int32, 300, {3 * k});
    for (const std::int64_t step : {3, -3}) {
      const NodeRef some = stepped(node_of(x), step);
      const NodeRef at = stepped(node_of(index), step);
      const Lines lines{1, some->size(), 1};
      expect_equal(take_at_once(*some, *at, lines, {k}), plain_take(values_of(some), values_of(at), lines, {k}));
    }
  }
}

TEST(ChooseAtOnce, TakesAFewElementsOfALargeArray) {
  const Plain x = counted(DType::k_int16, {4 * kMostAtOnce});
  const Plain index = indices(DType::k_int64, x.size(), {9});
  const Lines lines{1, x.size(), 1};
  expect_equal(take_at_once(*node_of(x), *node_of(index), lines, {9}), plain_take(x, index, lines, {9}));
}

TEST(ChooseAtOnce, PutsPartsAndOneValueForAll) {
  for (int d = 0; d < kDTypeCount; ++d) {
    for (const std::int64_t inner : {1, 3}) {
      const auto dtype = static_cast<DType>(d);
      const Dims shape = inner == 1 ? Dims{20} : Dims{20, inner};
      const Plain x = counted(dtype, shape);
      const Plain index = indices(DType::k_int16, 20, {7});
      for (const bool same : {false, true}) {
        const Plain values = counted(dtype, same ? Dims{} : inner == 1 ? Dims{7} : Dims{7, inner});
        const NodeRef found = put_at_once(*node_of(x), *node_of(index), {node_of(values).get(), {}});
        if (same && inner > 1) {
          EXPECT_EQ(found, nullptr);
          continue;
        }
        Plain expected = x;
        for (std::int64_t j = 0; j < 7; ++j) {
          std::memcpy(expected.at(index_at(index, j, 20) * inner), values.at(same ? 0 : j * inner),
                      static_cast<std::size_t>(inner * size_of(dtype)));
        }
        expect_equal(found, expected);
      }
    }
  }
}

TEST(ChooseAtOnce, PutsAValueThatIsNoNode) {
  const Plain x = counted(DType::k_int16, {5});
  Plain index(DType::k_int64, {1});
  index.as<std::int64_t>()[0] = -2;
  Plain expected = x;
  expected.as<std::int16_t>()[3] = 77;
  expect_equal(put_at_once(*node_of(x), *node_of(index), {nullptr, graph::Scalar::of(std::int16_t{77})}), expected);
}

TEST(ChooseAtOnce, PutsAPartForAllPlacesOfAStack) {
  const Plain x = counted(DType::k_float32, {6, 2, 2});
  const Plain index = indices(DType::k_int64, 6, {4});
  for (const Dims& shape : {Dims{2, 2}, Dims{2, 1}, Dims{4, 2, 2}, Dims{1, 2, 2}}) {
    const Plain values = counted(DType::k_float32, shape);
    Plain expected = x;
    for (std::int64_t j = 0; j < 4; ++j) {
      for (std::int64_t i = 0; i < 4; ++i) {
        const std::int64_t from = shape == Dims{2, 1} ? i / 2 : shape[0] == 4 ? 4 * j + i : i;
        std::memcpy(expected.at(index_at(index, j, 6) * 4 + i), values.at(from), 4);
      }
    }
    expect_equal(put_at_once(*node_of(x), *node_of(index), {node_of(values).get(), {}}), expected);
  }
  EXPECT_THROW(put_at_once(*node_of(x), *node_of(index), {node_of(counted(DType::k_float32, {3, 2})).get(), {}}),
               ShapeError);
}

TEST(ChooseAtOnce, OfEqualIndicesTheLastStays) {
  const NodeRef x = node_of(counted(DType::k_float64, {4}));
  Plain index(DType::k_int64, {3});
  std::fill_n(index.as<std::int64_t>(), 3, 2);
  const Plain values = counted(DType::k_float64, {3});
  const Plain found = values_of(put_at_once(*x, *node_of(index), {node_of(values).get(), {}}));
  EXPECT_EQ(std::memcmp(found.at(2), values.at(2), 8), 0);
}

TEST(ChooseAtOnce, PutsIntoACopy) {
  const NodeRef x = node_of(counted(DType::k_int32, {4}));
  const Plain before = values_of(x);
  const NodeRef found =
      put_at_once(*x, *node_of(indices(DType::k_int64, 4, {4})), {node_of(counted(DType::k_int32, {4})).get(), {}});
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(values_of(x).bytes, before.bytes);
}

TEST(ChooseAtOnce, FindsPlacesOfWhatIsTrue) {
  for (const std::int64_t n : {1, 7, 8, 9, 2048}) {
    for (const std::int64_t step : {1, 2, -1}) {
      Plain all(DType::k_bool, {n * std::abs(step)});
      for (std::int64_t i = 0; i < all.size(); ++i) *all.at(i) = static_cast<std::byte>(i % 3 != 1);
      const NodeRef condition = stepped(node_of(all), step);
      const Plain elements = values_of(condition);
      std::vector<std::int64_t> places;
      for (std::int64_t i = 0; i < n; ++i) {
        if (*elements.at(i) != std::byte{0}) places.push_back(i);
      }
      Plain expected(DType::k_int64, {static_cast<std::int64_t>(places.size())});
      if (!places.empty()) std::memcpy(expected.at(0), places.data(), expected.bytes.size());
      expect_equal(nonzero_at_once(*condition), expected);
    }
  }
}

TEST(ChooseAtOnce, LeavesIndicesOutOfRangeToTheirCaller) {
  const NodeRef x = node_of(counted(DType::k_float32, {4}));
  const auto taken = [&]<class T>(DType dtype, T place) {
    Plain index(dtype, {2});
    index.as<T>()[0] = 0;
    index.as<T>()[1] = place;
    const NodeRef put = put_at_once(*x, *node_of(index), {node_of(counted(DType::k_float32, {2})).get(), {}});
    const NodeRef found = take_at_once(*x, *node_of(index), {1, 4, 1}, {2});
    EXPECT_EQ(put == nullptr, found == nullptr);
    return found != nullptr;
  };
  EXPECT_TRUE(taken(DType::k_int8, std::int8_t{3}));
  EXPECT_TRUE(taken(DType::k_int8, std::int8_t{-4}));
  EXPECT_FALSE(taken(DType::k_int8, std::int8_t{4}));
  EXPECT_FALSE(taken(DType::k_int8, std::int8_t{-5}));
  EXPECT_FALSE(taken(DType::k_uint64, ~std::uint64_t{0}));
  EXPECT_FALSE(taken(DType::k_int64, std::numeric_limits<std::int64_t>::min()));
}

TEST(ChooseAtOnce, LeavesTheRestToPlans) {
  const NodeRef x = node_of(counted(DType::k_float32, {8}));
  const NodeRef lazy = graph::make_elementwise(Op::k_add, {x, x});
  const NodeRef few = node_of(indices(DType::k_int64, 8, {4}));
  const NodeRef none = node_of(Plain(DType::k_int64, {0}));
  const std::int64_t most = kMostAtOnce / 8;
  const NodeRef many = node_of(indices(DType::k_int8, 8, {most + 1}));
  EXPECT_EQ(take_at_once(*lazy, *few, {1, 8, 1}, {4}), nullptr);
  EXPECT_EQ(take_at_once(*x, *none, {1, 8, 1}, {0}), nullptr);
  EXPECT_EQ(take_at_once(*x, *many, {1, 8, 1}, {most + 1}), nullptr);
  EXPECT_EQ(put_at_once(*lazy, *few, {few.get(), {}}), nullptr);
  EXPECT_EQ(nonzero_at_once(*node_of(Plain(DType::k_bool, {3}))), nullptr);    // nothing is true
  EXPECT_EQ(nonzero_at_once(*node_of(counted(DType::k_int8, {3}))), nullptr);  // no condition
  EXPECT_EQ(nonzero_at_once(*node_of(Plain(DType::k_bool, {most + 1}))), nullptr);
  // Blocks in steps are no blocks.
  const NodeRef wide = node_of(counted(DType::k_float32, {8, 4}));
  const auto& in = *wide->as<graph::InMemory>();
  const NodeRef turned = graph::make_memory(DType::k_float32, in.memory, view_permute(in.layout, {1, 0}));
  EXPECT_EQ(take_at_once(*turned, *few, {1, 4, 8}, {4, 8}), nullptr);
}

}  // namespace
}  // namespace penstock::run
