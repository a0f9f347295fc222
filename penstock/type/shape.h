// SPDX-License-Identifier: Apache-2.0
// Shapes, strides and the views that are nothing but other strides.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "penstock/type/dims.h"

namespace penstock {

inline constexpr int kMaxRank = 64;

[[noreturn]] void throw_overflow(std::int64_t a, std::int64_t b, const char* what);

/// a * b; throws ShapeError naming `what` when the product leaves 63 bits.
inline std::int64_t checked_mul(std::int64_t a, std::int64_t b, const char* what) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) throw_overflow(a, b, what);
  return product;
}

/// What count() does with any shape.
std::int64_t count_checked(const Dims& shape);

/// Product of the extents; 1 for rank 0. Throws ShapeError on a negative extent, on rank over 64 and on overflow.
inline std::int64_t count(const Dims& shape) {
  // Most arrays have one axis, and calls on small ones ask again and again.
  return shape.size() == 1 && shape[0] >= 0 ? shape[0] : count_checked(shape);
}

/// "(3, 4)".
std::string shape_text(const Dims& shape);

/// NumPy's broadcasting of two shapes; throws ShapeError naming both.
Dims broadcast(const Dims& a, const Dims& b);

/// `axis` in [-rank, rank) as [0, rank); throws AxisError otherwise.
int normal_axis(std::int64_t axis, int rank);

/// Each axis normalised, sorted; throws AxisError when one repeats or is out of range.
std::vector<int> normal_axes(const Dims& axes, int rank);

/// A strided region of some memory. Strides and offset are in bytes and may be negative or zero.
struct Layout {
  Dims shape;
  Dims strides;
  std::int64_t offset = 0;

  int rank() const { return static_cast<int>(shape.size()); }
  std::int64_t size() const { return count(shape); }
  bool operator==(const Layout&) const = default;
};

/// C order (last index fastest) from offset 0.
Layout contiguous(const Dims& shape, std::int64_t itemsize);

/// Whether the elements follow each other without gaps in C order. Extents of 1 may have any stride.
bool is_contiguous(const Layout& layout, std::int64_t itemsize);

/// The half-open range of bytes the layout touches, relative to its memory's start; empty layouts give {0, 0}.
struct ByteRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
};
ByteRange byte_range(const Layout& layout, std::int64_t itemsize);

/// One entry of a basic index: an integer, a slice or a new axis. Ellipsis is expanded by the caller.
struct Index {
  enum class Type : std::uint8_t { kInteger, kSlice, kNewAxis };
  Type type = Type::kSlice;
  std::int64_t start = 0;            // the integer itself for kInteger
  std::optional<std::int64_t> stop;  // as in Python; nothing = to the end
  std::int64_t step = 1;
  bool has_start = false;
};

/// A slice resolved against an extent: elements start, start + step, ... (`count` of them).
struct Span {
  std::int64_t start;
  std::int64_t step;
  std::int64_t count;
};
/// Python's rules for slices of a sequence of `extent`; throws OutOfRangeError when step is 0.
Span resolve_slice(const Index& slice, std::int64_t extent);

/// Views. Each returns the layout of the view; none touches data.
Layout view_index(const Layout& in, std::span<const Index> indices);
inline Layout view_index(const Layout& in, std::initializer_list<Index> indices) {
  return view_index(in, std::span(indices.begin(), indices.size()));
}
/// Where the element lies that an integer for each dimension names, from the memory's start. Throws OutOfRangeError.
std::int64_t element_offset(const Layout& in, std::span<const Index> integers);
Layout view_permute(const Layout& in, const std::vector<int>& axes);
Layout view_broadcast(const Layout& in, const Dims& shape);
Layout view_flip(const Layout& in, const std::vector<int>& axes);
/// Nothing when the elements of `in` can't be reached by strides in the new shape. Sizes must agree.
std::optional<Layout> view_reshape(const Layout& in, const Dims& shape);

/// Resolves one -1 in `shape` against `size`; throws ShapeError when the sizes can't agree.
Dims resolve_reshape(const Dims& shape, std::int64_t size);

}  // namespace penstock
