// SPDX-License-Identifier: Apache-2.0
#include "penstock/type/shape.h"

#include <algorithm>

#include "penstock/base/error.h"

namespace penstock {

void throw_overflow(std::int64_t a, std::int64_t b, const char* what) {
  throw ShapeError(cat(what, ": ", a, " x ", b, " overflows 64 bits"));
}

std::int64_t count_checked(const Dims& shape) {
  if (shape.size() > kMaxRank) throw ShapeError(cat("rank ", shape.size(), " is over the limit of ", kMaxRank));
  std::int64_t n = 1;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) throw ShapeError(cat("negative extent ", extent, " in shape ", shape_text(shape)));
    if (extent == 0) empty = true;
    if (extent > 0) n = checked_mul(n, extent, "number of elements");
  }
  return empty ? 0 : n;
}

std::string shape_text(const Dims& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += cat(i ? ", " : "", shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

Dims broadcast(const Dims& a, const Dims& b) {
  const Dims& longer = a.size() >= b.size() ? a : b;
  const Dims& shorter = a.size() >= b.size() ? b : a;
  Dims out = longer;
  const std::size_t lead = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    const std::int64_t x = longer[lead + i];
    const std::int64_t y = shorter[i];
    if (x != y && x != 1 && y != 1) {
      throw ShapeError(cat("shapes ", shape_text(a), " and ", shape_text(b), " do not broadcast: ", x, " against ", y,
                           " on axis ", lead + i, "; extents must be equal or 1"));
    }
    out[lead + i] = x == 1 ? y : x;
  }
  return out;
}

int normal_axis(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    throw AxisError(cat("axis ", axis, " is out of range for an array of ", rank, " dimension(s)"));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

std::vector<int> normal_axes(const Dims& axes, int rank) {
  std::vector<int> out;
  for (const std::int64_t axis : axes) out.push_back(normal_axis(axis, rank));
  std::sort(out.begin(), out.end());
  const auto twice = std::adjacent_find(out.begin(), out.end());
  if (twice != out.end()) throw AxisError(cat("axis ", *twice, " is named twice"));
  return out;
}

Layout contiguous(const Dims& shape, std::int64_t itemsize) {
  Layout layout{shape, Dims(shape.size()), 0};
  std::int64_t stride = itemsize;
  for (std::size_t i = shape.size(); i-- > 0;) {
    layout.strides[i] = stride;
    stride = checked_mul(stride, std::max<std::int64_t>(shape[i], 1), "bytes of the array");
  }
  return layout;
}

bool is_contiguous(const Layout& layout, std::int64_t itemsize) {
  if (layout.size() == 0) return true;
  std::int64_t expected = itemsize;
  for (std::size_t i = layout.shape.size(); i-- > 0;) {
    if (layout.shape[i] != 1 && layout.strides[i] != expected) return false;
    expected *= layout.shape[i];
  }
  return true;
}

ByteRange byte_range(const Layout& layout, std::int64_t itemsize) {
  if (layout.size() == 0) return {};
  ByteRange range{layout.offset, layout.offset + itemsize};
  for (std::size_t i = 0; i < layout.shape.size(); ++i) {
    const std::int64_t reach = layout.strides[i] * (layout.shape[i] - 1);
    (reach < 0 ? range.begin : range.end) += reach;
  }
  return range;
}

Span resolve_slice(const Index& slice, std::int64_t extent) {
  const std::int64_t step = slice.step;
  if (step == 0) throw OutOfRangeError("slice step is 0; use a positive or negative step");
  const std::int64_t low = step < 0 ? -1 : 0;
  const std::int64_t high = step < 0 ? extent - 1 : extent;
  const auto clamp = [&](std::int64_t i) { return std::clamp(i < 0 ? i + extent : i, low, high); };
  const std::int64_t start = slice.has_start ? clamp(slice.start) : (step < 0 ? high : low);
  const std::int64_t stop = slice.stop ? clamp(*slice.stop) : (step < 0 ? low : high);
  const std::int64_t distance = step < 0 ? start - stop : stop - start;
  const std::uint64_t stride = step < 0 ? 0 - static_cast<std::uint64_t>(step) : static_cast<std::uint64_t>(step);
  if (distance <= 0) return {start, step, 0};
  if (stride == 1) return {start, step, distance};  // most slices: a division takes as long as the rest
  return {start, step, static_cast<std::int64_t>((static_cast<std::uint64_t>(distance) - 1) / stride) + 1};
}

namespace {

/// The bytes that the integer `index` is from the begin of dimension `dim`.
std::int64_t step_to(const Layout& in, const Index& index, std::size_t dim) {
  const std::int64_t extent = in.shape[dim];
  const std::int64_t i = index.start < 0 ? index.start + extent : index.start;
  if (i < 0 || i >= extent) {
    throw OutOfRangeError(cat("index ", index.start, " is out of range for axis ", dim, " of extent ", extent));
  }
  return i * in.strides[dim];
}

}  // namespace

std::int64_t element_offset(const Layout& in, std::span<const Index> integers) {
  std::int64_t offset = in.offset;
  for (std::size_t dim = 0; dim < integers.size(); ++dim) offset += step_to(in, integers[dim], dim);
  return offset;
}

Layout view_index(const Layout& in, std::span<const Index> indices) {
  Layout out{{}, {}, in.offset};
  std::size_t dim = 0;
  for (const Index& index : indices) {
    if (index.type == Index::Type::kNewAxis) {
      out.shape.push_back(1);
      out.strides.push_back(0);
      continue;
    }
    if (dim == in.shape.size()) throw OutOfRangeError(cat("too many indices for an array of ", dim, " dimension(s)"));
    if (index.type == Index::Type::kInteger) {
      out.offset += step_to(in, index, dim);
    } else {
      const std::int64_t stride = in.strides[dim];
      const Span span = resolve_slice(index, in.shape[dim]);
      if (span.count > 0) out.offset += span.start * stride;
      out.shape.push_back(span.count);
      // A step as large as 2^63 only ever goes with one element; its stride is never used.
      out.strides.push_back(span.count > 1 ? span.step * stride : 0);
    }
    ++dim;
  }
  for (; dim < in.shape.size(); ++dim) {
    out.shape.push_back(in.shape[dim]);
    out.strides.push_back(in.strides[dim]);
  }
  if (out.shape.size() > kMaxRank) {
    throw OutOfRangeError(cat("an index that makes an array of ", out.shape.size(), " dimensions; the limit is ",
                              kMaxRank, ": leave new axes (None) out"));
  }
  return out;
}

Layout view_permute(const Layout& in, const std::vector<int>& axes) {
  Layout out{{}, {}, in.offset};
  for (const int axis : axes) {
    out.shape.push_back(in.shape[static_cast<std::size_t>(axis)]);
    out.strides.push_back(in.strides[static_cast<std::size_t>(axis)]);
  }
  return out;
}

Layout view_broadcast(const Layout& in, const Dims& shape) {
  if (shape.size() < in.shape.size() || broadcast(in.shape, shape) != shape) {
    throw ShapeError(cat("shape ", shape_text(in.shape), " does not broadcast to ", shape_text(shape)));
  }
  Layout out{shape, Dims(shape.size(), 0), in.offset};
  const std::size_t lead = shape.size() - in.shape.size();
  for (std::size_t i = 0; i < in.shape.size(); ++i) {
    out.strides[lead + i] = in.shape[i] == 1 ? 0 : in.strides[i];
  }
  return out;
}

Layout view_flip(const Layout& in, const std::vector<int>& axes) {
  Layout out = in;
  for (const int axis : axes) {
    const auto i = static_cast<std::size_t>(axis);
    if (out.shape[i] > 0) out.offset += (out.shape[i] - 1) * out.strides[i];
    out.strides[i] = -out.strides[i];
  }
  return out;
}

std::optional<Layout> view_reshape(const Layout& in, const Dims& shape) {
  Layout out{shape, Dims(shape.size(), 0), in.offset};
  if (in.size() == 0) return out;
  if (in.rank() == 1) {
    std::int64_t stride = in.strides[0];
    for (std::size_t i = shape.size(); i-- > 0;) {
      out.strides[i] = stride;
      stride *= shape[i];
    }
    return out;
  }
  Dims extents;  // `in` without extents of 1, which have no order to keep
  Dims strides;
  for (std::size_t i = 0; i < in.shape.size(); ++i) {
    if (in.shape[i] == 1) continue;
    extents.push_back(in.shape[i]);
    strides.push_back(in.strides[i]);
  }
  std::size_t i = 0;
  std::size_t o = 0;
  while (i < extents.size() && o < shape.size()) {
    // The smallest groups of old and new dimensions with equal products.
    std::size_t i_end = i + 1;
    std::size_t o_end = o + 1;
    std::int64_t old_size = extents[i];
    std::int64_t new_size = shape[o];
    while (old_size != new_size) {
      if (old_size < new_size)
        old_size *= extents[i_end++];
      else
        new_size *= shape[o_end++];
    }
    for (std::size_t k = i; k + 1 < i_end; ++k) {
      if (strides[k] != strides[k + 1] * extents[k + 1]) return std::nullopt;
    }
    std::int64_t stride = strides[i_end - 1];
    for (std::size_t k = o_end; k-- > o;) {
      out.strides[k] = stride;
      stride *= shape[k];
    }
    i = i_end;
    o = o_end;
  }
  return out;
}

Dims resolve_reshape(const Dims& shape, std::int64_t size) {
  Dims out = shape;
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::int64_t& extent : out) {
    if (extent == -1) {
      if (open != nullptr) throw ShapeError(cat("shape ", shape_text(shape), " leaves more than one extent open"));
      open = &extent;
    } else if (extent < 0) {
      throw ShapeError(cat("negative extent ", extent, " in shape ", shape_text(shape)));
    } else {
      known = checked_mul(known, extent, "number of elements");
    }
  }
  if (open != nullptr && known != 0 && size % known == 0) {
    *open = size / known;
    known = size;
  }
  if (known != size || (open != nullptr && *open == -1)) {
    throw ShapeError(cat("cannot reshape ", size, " element(s) into ", shape_text(shape)));
  }
  return out;
}

}  // namespace penstock
