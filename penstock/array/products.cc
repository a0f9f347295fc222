// SPDX-License-Identifier: Apache-2.0
// Matrix and dot products, made of the operators of run/matmul.h and views.

#include "penstock/op/products.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "penstock/array/array.h"
#include "penstock/array/settle.h"
#include "penstock/base/error.h"
#include "penstock/run/at_once.h"
#include "penstock/run/matmul.h"

namespace penstock {
namespace {

struct Pair {
  Array a;
  Array b;
  DType dtype;
};

Pair converted(const Array& a, const Array& b) {
  const DType dtype = product_dtype(a.dtype(), b.dtype());
  return {Array(graph::make_cast(a.node(), dtype)), Array(graph::make_cast(b.node(), dtype)), dtype};
}

/// Whether both are stored as their product is computed.
bool are_ready(const Array& a, const Array& b) {
  const DType dtype = product_dtype(a.dtype(), b.dtype());
  return a.dtype() == dtype && b.dtype() == dtype;
}

Array vectors(const Array& a, const Array& b) {
  const Dims shape = vecdot_shape(a.shape(), b.shape());
  if (a.ndim() == 1 && a.shape() == b.shape() && are_ready(a, b)) {
    if (graph::NodeRef done = run::dot_at_once(*a.node(), *b.node())) return Array(std::move(done));
  }
  const Pair pair = converted(a, b);
  return operated(pair.dtype, shape, run::make_vecdot(pair.dtype, a.shape(), b.shape()), {pair.a, pair.b});
}

/// The product of operands of at least two axes.
Array matrices(const Array& a, const Array& b) {
  const Dims shape = matmul_shape(a.shape(), b.shape());
  // One row by one column is a sum of products, which streams; other products hold lines of what they sum over.
  if (a.ndim() == 2 && shape == Dims{1, 1})
    return reshape(vectors(reshape(a, {a.size()}), reshape(b, {b.size()})), shape);
  if (a.ndim() == 2 && b.ndim() == 2 && are_ready(a, b)) {
    if (graph::NodeRef done = run::matmul_at_once(*a.node(), *b.node())) return Array(std::move(done));
  }
  const Pair pair = converted(a, b);
  return operated(pair.dtype, shape, run::make_matmul(pair.dtype, a.shape(), b.shape()), {pair.a, pair.b});
}

/// The axes that are not in `taken`, in order.
std::vector<int> others(int rank, const std::vector<int>& taken) {
  std::vector<int> left;
  for (int d = 0; d < rank; ++d) {
    if (std::count(taken.begin(), taken.end(), d) == 0) left.push_back(d);
  }
  return left;
}

Dims extents(const Array& x, const std::vector<int>& axes) {
  Dims shape;
  for (const int axis : axes) shape.push_back(x.shape()[static_cast<std::size_t>(axis)]);
  return shape;
}

/// x with its axes in this order, as a matrix of rows x columns.
Array as_matrix(const Array& x, const std::vector<int>& first, const std::vector<int>& second) {
  Dims order(first.begin(), first.end());
  order.insert(order.end(), second.begin(), second.end());
  return reshape(permute_dims(x, order), {count(extents(x, first)), count(extents(x, second))});
}

}  // namespace

Array matmul(const Array& a, const Array& b) {
  if (a.ndim() == 0 || b.ndim() == 0) matmul_shape(a.shape(), b.shape());  // complains
  if (a.ndim() == 1 && b.ndim() == 1) {
    if (a.shape() == b.shape()) return vectors(a, b);
    throw ShapeError(cat("matmul of shapes ", shape_text(a.shape()), " and ", shape_text(b.shape()),
                         ": vectors of different lengths; the two must be equal"));
  }
  if (a.ndim() == 1 || b.ndim() == 1) {
    const Dims axis{a.ndim() == 1 ? -2 : -1};
    const Array product = a.ndim() == 1 ? matrices(expand_dims(a, {0}), b) : matrices(a, expand_dims(b, {1}));
    return squeeze(product, axis);
  }
  return matrices(a, b);
}

Array vecdot(const Array& a, const Array& b, std::int64_t axis) {
  if (axis >= 0 && a.ndim() != b.ndim()) {
    throw AxisError(cat("vecdot over axis ", axis, " of ", a.ndim(), " and ", b.ndim(),
                        " axes: count it from the end (negative), where they are aligned"));
  }
  if (a.ndim() == 0 || b.ndim() == 0) vecdot_shape(a.shape(), b.shape());  // complains
  const Array left = kind_of(a.dtype()) == Kind::kComplex ? conj(a) : a;
  return vectors(moveaxis(left, {axis}, {-1}), moveaxis(b, {axis}, {-1}));
}

Array tensordot(const Array& a, const Array& b, const Dims& a_axes, const Dims& b_axes) {
  const Contraction axes = contraction_of(a.shape(), b.shape(), a_axes, b_axes);
  const std::vector<int> rows = others(a.ndim(), axes.a);
  const std::vector<int> columns = others(b.ndim(), axes.b);
  Dims shape = extents(a, rows);
  const Dims right = extents(b, columns);
  shape.insert(shape.end(), right.begin(), right.end());
  return reshape(matrices(as_matrix(a, rows, axes.a), as_matrix(b, axes.b, columns)), shape);
}

Array tensordot(const Array& a, const Array& b, std::int64_t axes) {
  if (axes < 0 || axes > a.ndim() || axes > b.ndim()) {
    throw ShapeError(cat("tensordot over ", axes, " axes of shapes ", shape_text(a.shape()), " and ",
                         shape_text(b.shape()), "; it takes 0 to the axes that both have"));
  }
  Dims last(static_cast<std::size_t>(axes));
  Dims first(static_cast<std::size_t>(axes));
  std::iota(last.begin(), last.end(), a.ndim() - axes);
  std::iota(first.begin(), first.end(), 0);
  return tensordot(a, b, last, first);
}

Array dot(const Array& a, const Array& b) {
  if (a.ndim() == 0 || b.ndim() == 0) {
    const bool pairs = a.dtype() == DType::k_bool && b.dtype() == DType::k_bool;
    return pairs ? logical_and(a, b) : multiply(a, b);
  }
  if (a.ndim() <= 2 && b.ndim() <= 2) return matmul(a, b);
  return tensordot(a, b, Dims{-1}, Dims{b.ndim() == 1 ? -1 : -2});
}

}  // namespace penstock
