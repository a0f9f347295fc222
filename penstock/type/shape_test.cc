// SPDX-License-Identifier: Apache-2.0
// Views against index arithmetic: a layout is the list of its elements' byte offsets in C order.
#include "penstock/type/shape.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "penstock/base/error.h"

namespace penstock {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

/// Calls f(index) for every index of `shape` in C order.
template <class F>
void each_index(const Dims& shape, F f) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return;
  Dims index(shape.size(), 0);
  while (true) {
    f(index);
    std::size_t k = shape.size();
    while (k > 0 && ++index[k - 1] == shape[k - 1]) index[--k] = 0;
    if (k == 0) return;
  }
}

std::int64_t offset_at(const Layout& layout, const Dims& index) {
  std::int64_t offset = layout.offset;
  for (std::size_t k = 0; k < index.size(); ++k) offset += index[k] * layout.strides[k];
  return offset;
}

std::vector<std::int64_t> offsets_of(const Layout& layout) {
  std::vector<std::int64_t> offsets;
  each_index(layout.shape, [&](const Dims& index) { offsets.push_back(offset_at(layout, index)); });
  return offsets;
}

/// Any strides at all, overlapping, negative and zero ones too.
Layout any_layout(std::size_t max_rank = 4) {
  const auto rank = *rc::gen::inRange<std::size_t>(0, max_rank + 1);
  Layout layout;
  layout.shape = *rc::gen::container<Dims>(rank, rc::gen::inRange<std::int64_t>(0, 5));
  layout.strides = *rc::gen::container<Dims>(rank, rc::gen::inRange<std::int64_t>(-40, 41));
  layout.offset = *rc::gen::inRange<std::int64_t>(-100, 1000);
  return layout;
}

/// A view that somebody could have made: slices and a permutation of a contiguous array.
Layout natural_layout() {
  const auto rank = *rc::gen::inRange<std::size_t>(0, 5);
  const Dims shape = *rc::gen::container<Dims>(rank, rc::gen::inRange<std::int64_t>(1, 7));
  Layout layout = contiguous(shape, 4);
  std::vector<Index> indices;
  for (std::size_t k = 0; k < rank; ++k) {
    Index index;
    if (*rc::gen::inRange(0, 3) == 0) index.step = *rc::gen::element<std::int64_t>(-2, -1, 1, 2);
    indices.push_back(index);
  }
  layout = view_index(layout, indices);
  std::vector<int> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (rank > 1 && *rc::gen::arbitrary<bool>()) std::swap(axes[0], axes[rank - 1]);
  return view_permute(layout, axes);
}

TEST(Dims, KeepTheirEntriesInsideAndOutside) {
  std::vector<std::int64_t> expected;
  Dims dims;
  const auto same = [&](const Dims& each) {
    return std::equal(each.begin(), each.end(), expected.begin(), expected.end());
  };
  for (std::int64_t i = 0; i < 3 * std::int64_t{Dims::kInline}; ++i) {
    dims.push_back(i);
    expected.push_back(i);
    Dims copy = dims;
    EXPECT_TRUE(same(dims) && same(copy)) << i;
    Dims assigned{7, 8};
    assigned = dims;
    EXPECT_TRUE(same(assigned)) << i;
    copy = assigned;  // over as many
    const Dims moved = std::move(copy);
    EXPECT_TRUE(same(moved)) << i;
    EXPECT_TRUE(copy.empty()) << i;  // NOLINT(bugprone-use-after-move): what is tested
    copy = Dims{1, 2};
    EXPECT_EQ(copy, (Dims{1, 2})) << i;
  }
  for (; !expected.empty(); dims.pop_back(), expected.pop_back()) EXPECT_TRUE(same(dims)) << expected.size();
  dims.resize(9, 4);
  EXPECT_EQ(dims, (Dims{4, 4, 4, 4, 4, 4, 4, 4, 4}));
}

TEST(Shape, MultipliesWithin63Bits) {
  EXPECT_EQ(checked_mul(0, kMax, "x"), 0);
  EXPECT_EQ(checked_mul(1, kMax, "x"), kMax);
  EXPECT_EQ(checked_mul(std::int64_t{1} << 31, std::int64_t{1} << 31, "x"), std::int64_t{1} << 62);
  for (const auto& [a, b] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {2, kMax}, {std::int64_t{1} << 32, std::int64_t{1} << 31}, {kMax, kMax}, {4294967296, 4294967296}}) {
    try {
      checked_mul(a, b, "bytes of the test");
      FAIL() << a << " x " << b;
    } catch (const ShapeError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("bytes of the test: ")) << error.what();
    }
  }
}

TEST(Shape, CountsElements) {
  EXPECT_EQ(count({}), 1);
  EXPECT_EQ(count({0}), 0);
  EXPECT_EQ(count({3, 4, 5}), 60);
  EXPECT_EQ(count({kMax, 0}), 0);
  EXPECT_EQ(count(Dims(64, 1)), 1);
  EXPECT_THROW(count(Dims(65, 1)), ShapeError);
  EXPECT_THROW(count({-1}), ShapeError);
  EXPECT_THROW(count({0, -1}), ShapeError);
  EXPECT_THROW(count({kMax, 2}), ShapeError);
  // Wraps to 4 when nobody checks.
  EXPECT_THROW(count({4194305, 4194305, 211106198978564}), ShapeError);
  EXPECT_THROW(count({0, kMax, 2}), ShapeError) << "an extent of 0 hides nothing";
}

TEST(Shape, ReadsLikePython) {
  EXPECT_EQ(shape_text({}), "()");
  EXPECT_EQ(shape_text({3}), "(3,)");
  EXPECT_EQ(shape_text({3, -4}), "(3, -4)");
}

TEST(Shape, BroadcastsAsNumPyDoes) {
  EXPECT_EQ(broadcast({}, {}), Dims{});
  EXPECT_EQ(broadcast({}, {3}), Dims{3});
  EXPECT_EQ(broadcast({1}, {0}), Dims{0});
  EXPECT_EQ(broadcast({8, 1, 6, 1}, {7, 1, 5}), (Dims{8, 7, 6, 5}));
  EXPECT_EQ(broadcast({256, 256, 3}, {3}), (Dims{256, 256, 3}));
  EXPECT_THROW(broadcast({2}, {0}), ShapeError);
  EXPECT_THROW(broadcast({2, 1}, {8, 4, 3}), ShapeError);
  try {
    broadcast({3, 4}, {2, 4});
    FAIL();
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(),
                 "shapes (3, 4) and (2, 4) do not broadcast: 3 against 2 on axis 0; extents must be equal or 1");
  }
}

TEST(Shape, NormalisesAxes) {
  EXPECT_EQ(normal_axis(-1, 3), 2);
  EXPECT_EQ(normal_axis(-3, 3), 0);
  EXPECT_EQ(normal_axis(2, 3), 2);
  EXPECT_THROW(normal_axis(3, 3), AxisError);
  EXPECT_THROW(normal_axis(-4, 3), AxisError);
  EXPECT_THROW(normal_axis(0, 0), AxisError);
  EXPECT_THROW(normal_axis(kMin, 3), AxisError);
  EXPECT_EQ(normal_axes({2, -3}, 3), (std::vector<int>{0, 2}));
  EXPECT_THROW(normal_axes({1, -2}, 3), AxisError);
}

TEST(Shape, KnowsContiguousLayouts) {
  EXPECT_EQ(contiguous({2, 3, 4}, 8), (Layout{{2, 3, 4}, {96, 32, 8}, 0}));
  EXPECT_EQ(contiguous({}, 8), (Layout{{}, {}, 0}));
  EXPECT_EQ(contiguous({2, 0, 4}, 8).strides, (Dims{32, 32, 8}));
  EXPECT_THROW(contiguous({kMax, 2}, 1), ShapeError);
  EXPECT_TRUE(is_contiguous({{1, 3}, {-999, 4}, 5}, 4)) << "an extent of 1 has no order";
  EXPECT_FALSE(is_contiguous({{2, 3}, {4, 8}, 0}, 4));
  EXPECT_FALSE(is_contiguous({{2, 3}, {24, 8}, 0}, 4)) << "gaps";
  EXPECT_TRUE(is_contiguous({{0, 3}, {7, 7}, 0}, 4));
  EXPECT_TRUE(is_contiguous({{}, {}, 12}, 4));
}

TEST(Shape, ResolvesSlicesAsPythonDoes) {
  const auto slice = [](std::optional<std::int64_t> start, std::optional<std::int64_t> stop, std::int64_t step,
                        std::int64_t extent) {
    Index index;
    index.has_start = start.has_value();
    index.start = start.value_or(0);
    index.stop = stop;
    index.step = step;
    const Span span = resolve_slice(index, extent);
    std::vector<std::int64_t> found;
    for (std::int64_t i = 0; i < span.count; ++i) found.push_back(span.start + i * span.step);
    return found;
  };
  using V = std::vector<std::int64_t>;
  const std::nullopt_t none = std::nullopt;
  EXPECT_EQ(slice(none, none, 1, 4), (V{0, 1, 2, 3}));
  EXPECT_EQ(slice(none, none, -1, 4), (V{3, 2, 1, 0}));
  EXPECT_EQ(slice(1, -1, 1, 4), (V{1, 2}));
  EXPECT_EQ(slice(-3, none, 2, 5), (V{2, 4}));
  EXPECT_EQ(slice(-99, 99, 3, 7), (V{0, 3, 6}));
  EXPECT_EQ(slice(99, -99, -3, 7), (V{6, 3, 0}));
  EXPECT_EQ(slice(2, none, -1, 5), (V{2, 1, 0}));
  EXPECT_EQ(slice(none, 2, -1, 5), (V{4, 3}));
  EXPECT_EQ(slice(3, 1, 1, 5), V{});
  EXPECT_EQ(slice(none, none, 1, 0), V{});
  EXPECT_EQ(slice(none, none, -1, 0), V{});
  EXPECT_EQ(slice(0, none, kMax, 5), (V{0}));
  EXPECT_EQ(slice(4, none, kMin, 5), (V{4}));
  EXPECT_EQ(slice(kMin, kMax, 1, 3), (V{0, 1, 2}));
  Index zero;
  zero.step = 0;
  EXPECT_THROW(resolve_slice(zero, 3), OutOfRangeError);
}

TEST(Shape, RefusesIndicesOutOfRange) {
  const Layout in = contiguous({3, 4}, 4);
  const auto integer = [](std::int64_t i) { return Index{.type = Index::Type::kInteger, .start = i, .stop = {}}; };
  EXPECT_EQ(view_index(in, {integer(-1), integer(-4)}), (Layout{{}, {}, 32}));
  EXPECT_THROW(view_index(in, {integer(3)}), OutOfRangeError);
  EXPECT_THROW(view_index(in, {integer(-4)}), OutOfRangeError);
  EXPECT_THROW(view_index(in, {integer(0), integer(0), integer(0)}), OutOfRangeError);
  EXPECT_THROW(view_index(in, {Index{}, Index{}, Index{}}), OutOfRangeError);
  EXPECT_THROW(view_index(in, {integer(kMin)}), OutOfRangeError);
  const Index axis{Index::Type::kNewAxis, 0, {}, 1, false};
  EXPECT_EQ(view_index(in, std::vector<Index>(kMaxRank - in.shape.size(), axis)).shape.size(), kMaxRank);
  EXPECT_THROW(view_index(in, std::vector<Index>(kMaxRank - in.shape.size() + 1, axis)), OutOfRangeError);
}

TEST(Shape, RefusesImpossibleBroadcastsAndReshapes) {
  EXPECT_THROW(view_broadcast(contiguous({3}, 4), {4}), ShapeError);
  EXPECT_THROW(view_broadcast(contiguous({3}, 4), {}), ShapeError);
  EXPECT_THROW(view_broadcast(contiguous({3}, 4), {1}), ShapeError) << "3 does not shrink to 1";
  EXPECT_EQ(resolve_reshape({2, -1}, 6), (Dims{2, 3}));
  EXPECT_EQ(resolve_reshape({-1}, 0), Dims{0});
  EXPECT_EQ(resolve_reshape({}, 1), Dims{});
  EXPECT_THROW(resolve_reshape({4, -1}, 6), ShapeError);
  EXPECT_THROW(resolve_reshape({0, -1}, 0), ShapeError) << "any extent would do";
  EXPECT_THROW(resolve_reshape({-1, -1}, 6), ShapeError);
  EXPECT_THROW(resolve_reshape({-2}, 6), ShapeError);
  EXPECT_THROW(resolve_reshape({5}, 6), ShapeError);
  EXPECT_THROW(resolve_reshape({kMax, 2}, 6), ShapeError);
}

RC_GTEST_PROP(ShapeProperty, ContiguousOffsetsFollowEachOther, ()) {
  const Dims shape =
      *rc::gen::container<Dims>(*rc::gen::inRange<std::size_t>(0, 5), rc::gen::inRange<std::int64_t>(0, 5));
  const auto itemsize = *rc::gen::element<std::int64_t>(1, 4, 16);
  const Layout layout = contiguous(shape, itemsize);
  std::int64_t expected = 0;
  for (const std::int64_t offset : offsets_of(layout)) {
    RC_ASSERT(offset == expected);
    expected += itemsize;
  }
  RC_ASSERT(expected == layout.size() * itemsize);
  RC_ASSERT(is_contiguous(layout, itemsize));
}

RC_GTEST_PROP(ShapeProperty, ContiguityIsWhatTheOffsetsSay, ()) {
  const Layout layout = *rc::gen::arbitrary<bool>() ? natural_layout() : any_layout();
  const std::vector<std::int64_t> offsets = offsets_of(layout);
  bool gapless = true;
  for (std::size_t i = 1; i < offsets.size(); ++i) gapless = gapless && offsets[i] == offsets[i - 1] + 4;
  RC_ASSERT(is_contiguous(layout, 4) == gapless);
}

RC_GTEST_PROP(ShapeProperty, TheByteRangeIsThatOfTheOffsets, ()) {
  const Layout layout = any_layout();
  const std::vector<std::int64_t> offsets = offsets_of(layout);
  const ByteRange range = byte_range(layout, 8);
  RC_ASSERT(range.begin == (offsets.empty() ? 0 : *std::min_element(offsets.begin(), offsets.end())));
  RC_ASSERT(range.end == (offsets.empty() ? 0 : *std::max_element(offsets.begin(), offsets.end()) + 8));
}

RC_GTEST_PROP(ShapeProperty, BroadcastIsTheLeastShapeBothFit, ()) {
  const auto any_shape = [] {
    return *rc::gen::container<Dims>(*rc::gen::inRange<std::size_t>(0, 6),
                                     rc::gen::element<std::int64_t>(0, 1, 1, 2, 3));
  };
  const Dims a = any_shape();
  const Dims b = any_shape();
  Dims expected(std::max(a.size(), b.size()));
  bool fits = true;
  for (std::size_t k = 0; k < expected.size(); ++k) {
    const std::int64_t x = k < a.size() ? a[a.size() - 1 - k] : 1;
    const std::int64_t y = k < b.size() ? b[b.size() - 1 - k] : 1;
    fits = fits && (x == y || x == 1 || y == 1);
    expected[expected.size() - 1 - k] = x == 1 ? y : x;
  }
  if (fits) {
    RC_ASSERT(broadcast(a, b) == expected);
    RC_ASSERT(broadcast(b, a) == expected);
  } else {
    RC_ASSERT_THROWS_AS(broadcast(a, b), ShapeError);
  }
}

RC_GTEST_PROP(ShapeProperty, ASliceWalksLikeALoop, ()) {
  const auto extent = *rc::gen::inRange<std::int64_t>(0, 12);
  const auto bound = rc::gen::inRange<std::int64_t>(-15, 16);
  Index index;
  index.has_start = *rc::gen::arbitrary<bool>();
  index.start = *bound;
  if (*rc::gen::arbitrary<bool>()) index.stop = *bound;
  index.step = *rc::gen::element<std::int64_t>(-13, -3, -2, -1, 1, 2, 3, 13);
  const bool up = index.step > 0;
  // Walk from far outside and keep what lies inside: no clamping needed but at the start.
  std::int64_t i = index.has_start ? (index.start < 0 ? index.start + extent : index.start) : (up ? 0 : extent - 1);
  if (up && i < 0) i = 0;
  if (!up && i >= extent) i = extent - 1;
  const std::int64_t stop = index.stop ? (*index.stop < 0 ? *index.stop + extent : *index.stop) : (up ? extent : -1);
  std::vector<std::int64_t> expected;
  for (; i >= 0 && i < extent && (up ? i < stop : i > stop); i += index.step) expected.push_back(i);
  const Span span = resolve_slice(index, extent);
  std::vector<std::int64_t> found;
  for (std::int64_t k = 0; k < span.count; ++k) found.push_back(span.start + k * span.step);
  RC_ASSERT(found == expected);
}

RC_GTEST_PROP(ShapeProperty, AnIndexedViewIsIndexArithmetic, ()) {
  const Layout in = any_layout();
  std::vector<Index> indices;
  std::vector<Span> spans;  // one an input dimension; count -1: an integer
  for (std::size_t k = 0; k < in.shape.size(); ++k) {
    while (*rc::gen::inRange(0, 5) == 0) indices.push_back({.type = Index::Type::kNewAxis, .stop = {}});
    if (in.shape[k] > 0 && *rc::gen::inRange(0, 3) == 0) {
      const auto i = *rc::gen::inRange<std::int64_t>(0, in.shape[k]);
      indices.push_back(
          {.type = Index::Type::kInteger, .start = *rc::gen::arbitrary<bool>() ? i : i - in.shape[k], .stop = {}});
      spans.push_back({i, 0, -1});
    } else if (*rc::gen::inRange(0, 4) > 0) {
      Index slice;
      slice.has_start = true;
      slice.start = *rc::gen::inRange<std::int64_t>(-6, 6);
      slice.stop = *rc::gen::inRange<std::int64_t>(-6, 6);
      slice.step = *rc::gen::element<std::int64_t>(-2, -1, 1, 2, 3);
      indices.push_back(slice);
      spans.push_back(resolve_slice(slice, in.shape[k]));
    } else if (indices.empty() || k + 1 == in.shape.size()) {
      indices.push_back({});
      spans.push_back({0, 1, in.shape[k]});
    } else {
      break;  // the rest is taken whole
    }
  }
  while (spans.size() < in.shape.size()) spans.push_back({0, 1, in.shape[spans.size()]});

  const Layout out = view_index(in, indices);
  std::vector<std::int64_t> expected;
  Dims extents;
  for (const Span& span : spans) extents.push_back(span.count < 0 ? 1 : span.count);
  each_index(extents, [&](const Dims& at) {
    Dims from(at.size());
    for (std::size_t k = 0; k < at.size(); ++k) from[k] = spans[k].start + at[k] * spans[k].step;
    expected.push_back(offset_at(in, from));
  });
  RC_ASSERT(offsets_of(out) == expected);
}

RC_GTEST_PROP(ShapeProperty, APermutedViewPermutesItsIndices, ()) {
  const Layout in = any_layout();
  std::vector<int> axes(in.shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  for (std::size_t k = axes.size(); k > 1; --k) std::swap(axes[k - 1], axes[*rc::gen::inRange<std::size_t>(0, k)]);
  const Layout out = view_permute(in, axes);
  each_index(out.shape, [&](const Dims& index) {
    Dims from(index.size());
    for (std::size_t k = 0; k < index.size(); ++k) from[static_cast<std::size_t>(axes[k])] = index[k];
    RC_ASSERT(offset_at(out, index) == offset_at(in, from));
  });
  RC_ASSERT(out.size() == in.size());
}

RC_GTEST_PROP(ShapeProperty, ABroadcastViewRepeats, ()) {
  Layout in = any_layout(3);
  for (std::int64_t& extent : in.shape) extent = extent == 0 ? 1 : extent;
  Dims shape = in.shape;
  for (std::int64_t& extent : shape) {
    if (extent == 1) extent = *rc::gen::inRange<std::int64_t>(0, 4);
  }
  const Dims lead =
      *rc::gen::container<Dims>(*rc::gen::inRange<std::size_t>(0, 3), rc::gen::inRange<std::int64_t>(0, 3));
  shape.insert(shape.begin(), lead.begin(), lead.end());
  const Layout out = view_broadcast(in, shape);
  RC_ASSERT(out.shape == shape);
  each_index(shape, [&](const Dims& index) {
    Dims from(index.begin() + static_cast<std::ptrdiff_t>(lead.size()), index.end());
    for (std::size_t k = 0; k < from.size(); ++k) from[k] = in.shape[k] == 1 ? 0 : from[k];
    RC_ASSERT(offset_at(out, index) == offset_at(in, from));
  });
}

RC_GTEST_PROP(ShapeProperty, AFlippedViewRunsBackwards, ()) {
  const Layout in = any_layout();
  std::vector<int> axes;
  for (std::size_t k = 0; k < in.shape.size(); ++k) {
    if (*rc::gen::arbitrary<bool>()) axes.push_back(static_cast<int>(k));
  }
  const Layout out = view_flip(in, axes);
  each_index(in.shape, [&](const Dims& index) {
    Dims from = index;
    for (const int axis : axes) {
      const auto k = static_cast<std::size_t>(axis);
      from[k] = in.shape[k] - 1 - from[k];
    }
    RC_ASSERT(offset_at(out, index) == offset_at(in, from));
  });
  RC_ASSERT(out.shape == in.shape);
}

/// A random shape of `size` elements.
Dims any_factors(std::int64_t size) {
  Dims shape;
  while (size > 1) {
    std::vector<std::int64_t> divisors;
    for (std::int64_t d = 2; d <= size; ++d) {
      if (size % d == 0) divisors.push_back(d);
    }
    shape.push_back(*rc::gen::elementOf(divisors));
    size /= shape.back();
    if (*rc::gen::inRange(0, 4) == 0) shape.push_back(1);
  }
  return shape;
}

RC_GTEST_PROP(ShapeProperty, AReshapedViewKeepsTheOrderOrThereIsNone, ()) {
  const Layout in = natural_layout();
  const Dims shape = any_factors(in.size());
  const std::vector<std::int64_t> offsets = offsets_of(in);
  const std::optional<Layout> out = view_reshape(in, shape);
  if (out) {
    RC_ASSERT(out->shape == shape);
    RC_ASSERT(offsets_of(*out) == offsets);
    return;
  }
  // The only strides that could do: the distance to the next element along each dimension.
  Layout candidate{shape, Dims(shape.size(), 0), in.offset};
  std::int64_t step = 1;
  for (std::size_t k = shape.size(); k-- > 0;) {
    if (shape[k] > 1) candidate.strides[k] = offsets[static_cast<std::size_t>(step)] - offsets[0];
    step *= shape[k];
  }
  RC_ASSERT(offsets_of(candidate) != offsets);
}

}  // namespace
}  // namespace penstock
