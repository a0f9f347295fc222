// SPDX-License-Identifier: Apache-2.0
// Views, which are other strides, and assemblies of several arrays.

#include <algorithm>
#include <numeric>
#include <utility>

#include "penstock/array/array.h"
#include "penstock/array/settle.h"
#include "penstock/base/error.h"
#include "penstock/run/at_once.h"
#include "penstock/run/make_at_once.h"
#include "penstock/type/slice.h"

namespace penstock {
namespace {

using graph::View;

/// Of elements in memory other strides, where strides can express it; else a node over x.
Array viewed(const Array& x, View view) {
  graph::NodeRef node = x.node();
  if (const graph::InMemory* in = node->in_memory()) {
    if (std::optional<Layout> layout = view.of(in->layout))
      return Array(graph::make_memory(x.dtype(), in->memory, std::move(*layout)));
  }
  return settle(graph::make_view(std::move(node), std::move(view)));
}

std::vector<int> all_axes(int rank) {
  std::vector<int> axes(static_cast<std::size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

/// [:, :, start:stop] for `axis` 2.
std::vector<Index> along(int axis, std::int64_t start, std::int64_t stop) {
  std::vector<Index> indices(static_cast<std::size_t>(axis));
  indices.push_back(slice(start, stop));
  return indices;
}

DType common_dtype(const std::vector<Array>& arrays, const char* what) {
  if (arrays.empty()) throw ArgumentError(cat(what, " needs at least one array"));
  DType dtype = arrays[0].dtype();
  for (const Array& array : arrays) dtype = promote(dtype, array.dtype());
  return dtype;
}

Array roll_axis(const Array& x, std::int64_t shift, int axis) {
  const std::int64_t extent = x.shape()[static_cast<std::size_t>(axis)];
  if (extent == 0) return x;
  const std::int64_t by = (shift % extent + extent) % extent;
  if (by == 0) return x;
  const std::vector<graph::NodeRef> parts{x[along(axis, extent - by, extent)].node(),
                                          x[along(axis, 0, extent - by)].node()};
  return settle(graph::make_pieces(x.dtype(), x.shape(), parts, {along(axis, 0, by), along(axis, by, extent)}));
}

}  // namespace

Array reshape(const Array& x, const Dims& shape) {
  Dims resolved = resolve_reshape(shape, x.size());
  if (resolved == x.shape()) return x;
  // As viewed() does, without a description of the view.
  const graph::Node* node = x.held_node();
  if (const graph::InMemory* in = node != nullptr ? node->in_memory() : nullptr) {
    if (std::optional<Layout> layout = view_reshape(in->layout, resolved))
      return Array(graph::make_memory(x.dtype(), in->memory, std::move(*layout)));
  }
  return viewed(x, {View::Type::kReshape, {}, {}, std::move(resolved)});
}

Array permute_dims(const Array& x, const Dims& axes) {
  std::vector<int> order;
  for (const std::int64_t axis : axes) order.push_back(normal_axis(axis, x.ndim()));
  if (static_cast<int>(normal_axes(axes, x.ndim()).size()) != x.ndim()) {
    throw AxisError(cat("permute_dims needs all ", x.ndim(), " axes; got ", axes.size()));
  }
  if (std::is_sorted(order.begin(), order.end())) return x;  // each axis stays where it is
  return viewed(x, {View::Type::kPermute, {}, order, {}});
}

Array matrix_transpose(const Array& x) {
  if (x.ndim() < 2) throw ShapeError(cat("a matrix transpose needs 2 dimensions; got shape ", shape_text(x.shape())));
  std::vector<int> order = all_axes(x.ndim());
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return viewed(x, {View::Type::kPermute, {}, order, {}});
}

Array broadcast_to(const Array& x, const Dims& shape) {
  return shape == x.shape() ? x : viewed(x, {View::Type::kBroadcast, {}, {}, shape});
}

Array flip(const Array& x, const std::optional<Dims>& axes) {
  return viewed(x, {View::Type::kFlip, {}, axes ? normal_axes(*axes, x.ndim()) : all_axes(x.ndim()), {}});
}

Array expand_dims(const Array& x, const Dims& axes) {
  const int rank = x.ndim() + static_cast<int>(axes.size());
  const std::vector<int> added = normal_axes(axes, rank);
  std::vector<Index> indices;
  for (int i = 0; i < rank; ++i) {
    const bool is_new = std::binary_search(added.begin(), added.end(), i);
    indices.push_back(is_new ? Index{Index::Type::kNewAxis, 0, {}, 1, false} : Index{});
  }
  return viewed(x, {View::Type::kIndex, indices, {}, {}});
}

Array squeeze(const Array& x, const Dims& axes) {
  std::vector<Index> indices(static_cast<std::size_t>(x.ndim()));
  for (const int axis : normal_axes(axes, x.ndim())) {
    const std::int64_t extent = x.shape()[static_cast<std::size_t>(axis)];
    if (extent != 1)
      throw ShapeError(cat("cannot squeeze axis ", axis, " of extent ", extent, " in shape ", shape_text(x.shape())));
    indices[static_cast<std::size_t>(axis)] = {Index::Type::kInteger, 0, {}, 1, false};
  }
  return viewed(x, {View::Type::kIndex, indices, {}, {}});
}

Array moveaxis(const Array& x, const Dims& source, const Dims& destination) {
  if (source.size() != destination.size()) throw AxisError("moveaxis needs as many destinations as sources");
  normal_axes(source, x.ndim());
  normal_axes(destination, x.ndim());
  Dims order(static_cast<std::size_t>(x.ndim()), -1);
  std::vector<bool> moved(order.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    const int from = normal_axis(source[i], x.ndim());
    order[static_cast<std::size_t>(normal_axis(destination[i], x.ndim()))] = from;
    moved[static_cast<std::size_t>(from)] = true;
  }
  std::int64_t next = 0;
  for (std::int64_t& axis : order) {
    if (axis >= 0) continue;
    while (moved[static_cast<std::size_t>(next)]) ++next;
    axis = next++;
  }
  return permute_dims(x, order);
}

Array roll(const Array& x, const Dims& shift, const std::optional<Dims>& axes) {
  if (!axes) {
    if (shift.size() != 1) throw ArgumentError(cat("roll without axes takes one shift; got ", shift.size()));
    return reshape(roll_axis(reshape(x, {x.size()}), shift[0], 0), x.shape());
  }
  if (shift.size() != axes->size() && shift.size() != 1) {
    throw ArgumentError(cat("roll got ", shift.size(), " shifts for ", axes->size(), " axes"));
  }
  Array out = x;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    out = roll_axis(out, shift.size() == 1 ? shift[0] : shift[i], normal_axis((*axes)[i], x.ndim()));
  }
  return out;
}

namespace {

/// The arrays joined where they are few elements in memory.
std::optional<Array> joined_at_once(const std::vector<Array>& parts, int axis, const Dims& shape, DType dtype) {
  if (count(shape) > run::kMostAtOnce) return std::nullopt;
  std::vector<const graph::Node*> nodes;
  for (const Array& part : parts) {
    if (part.held_node() == nullptr) return std::nullopt;
    nodes.push_back(part.held_node());
  }
  graph::NodeRef node = run::joined_at_once(nodes, axis, shape, dtype);
  return node == nullptr ? std::nullopt : std::optional(Array(std::move(node)));
}

}  // namespace

Array concat(const std::vector<Array>& arrays, std::optional<std::int64_t> axis) {
  const DType dtype = common_dtype(arrays, "concat");
  std::vector<Array> parts = arrays;
  if (!axis) {
    for (Array& part : parts) part = reshape(part, {part.size()});
  }
  const int along_axis = normal_axis(axis.value_or(0), parts[0].ndim());
  Dims shape = parts[0].shape();
  std::int64_t& extent = shape[static_cast<std::size_t>(along_axis)];
  extent = 0;
  std::vector<graph::NodeRef> inputs;
  std::vector<std::vector<Index>> places;
  for (const Array& part : parts) {
    Dims expected = part.shape();
    const bool fits = part.ndim() == parts[0].ndim();
    const std::int64_t length = fits ? expected[static_cast<std::size_t>(along_axis)] : 0;
    if (fits) expected[static_cast<std::size_t>(along_axis)] = extent;
    if (!fits || expected != shape) {
      throw ShapeError(cat("concat along axis ", along_axis, ": shapes ", shape_text(parts[0].shape()), " and ",
                           shape_text(part.shape()), " differ on another axis"));
    }
    places.push_back(along(along_axis, extent, extent + length));
    extent += length;
  }
  if (std::optional<Array> done = joined_at_once(parts, along_axis, shape, dtype)) return std::move(*done);
  for (const Array& part : parts) inputs.push_back(astype(part, dtype).node());
  return settle(graph::make_pieces(dtype, shape, std::move(inputs), std::move(places)));
}

Array stack(const std::vector<Array>& arrays, std::int64_t axis) {
  std::vector<Array> parts;
  for (const Array& array : arrays) {
    if (array.shape() != arrays[0].shape()) {
      throw ShapeError(
          cat("stack needs equal shapes; got ", shape_text(arrays[0].shape()), " and ", shape_text(array.shape())));
    }
    parts.push_back(expand_dims(array, {axis}));
  }
  return concat(parts, axis);
}

}  // namespace penstock
