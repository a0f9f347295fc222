// SPDX-License-Identifier: Apache-2.0
// Reductions, made of the primitive rows of op/reduce.def.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "penstock/array/array.h"
#include "penstock/array/settle.h"
#include "penstock/base/error.h"
#include "penstock/op/infer.h"
#include "penstock/run/at_once.h"

namespace penstock {
namespace {

std::vector<int> axes_of(const Array& x, const Over& over) {
  if (over.axes) return normal_axes(*over.axes, x.ndim());
  std::vector<int> all(static_cast<std::size_t>(x.ndim()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Elements that meet in one output.
std::int64_t reduced_count(const Array& x, const std::vector<int>& axes) {
  std::int64_t n = 1;
  for (const int axis : axes) n *= x.shape()[static_cast<std::size_t>(axis)];
  return n;
}

bool is_complex(const Array& x) { return kind_of(x.dtype()) == Kind::kComplex; }

/// The dtype a mean or variance is taken in.
DType float_dtype(const Array& x) {
  if (kind_of(x.dtype()) == Kind::kFloat || is_complex(x))
    return x.dtype() == DType::k_float16 ? DType::k_float32 : x.dtype();
  return DType::k_float64;
}

/// The sum for a mean: small integers are added exactly, what could overflow in float64.
Array sum_for_mean(const Array& x, const Over& over) {
  const bool exact = is_integer(x.dtype()) && size_of(x.dtype()) <= 4;
  return exact || x.dtype() == DType::k_bool ? astype(sum(x, over), DType::k_float64)
                                             : sum(astype(x, float_dtype(x)), over);
}

Array logical_reduction(Reduction reduction, bool of_nothing, const Array& x, const Over& over) {
  const std::vector<int> axes = axes_of(x, over);
  if (reduced_count(x, axes) == 0) {
    return full(reduced_shape(Reduction::k_sum, x.shape(), axes, over.keepdims), {Kind::kBool, of_nothing},
                DType::k_bool);
  }
  return reduce(reduction, astype(x, DType::k_bool), over);
}

Array arg_reduction(Reduction reduction, const Array& x, std::optional<std::int64_t> axis, bool keepdims) {
  Over over{{}, keepdims};
  if (axis) over.axes = Dims{*axis};
  return reduce(reduction, x, over);
}

}  // namespace

Array reduce(Reduction reduction, const Array& x, const Over& over) {
  const Array in = x.dtype() == DType::k_float16 ? astype(x, DType::k_float32) : x;
  const std::vector<int> axes = axes_of(in, over);
  if (in.size() <= run::kMostReducedAtOnce) {
    const Dims shape = reduced_shape(reduction, in.shape(), axes, over.keepdims);
    if (graph::NodeRef done = run::reduce_at_once(reduction, *in.node(), shape)) return Array(std::move(done));
  }
  return settle(graph::make_reduce(reduction, in.node(), axes, over.keepdims));
}

Array sum(const Array& x, const Over& over, std::optional<DType> dtype) {
  return dtype ? astype(reduce(Reduction::k_sum, astype(x, *dtype), over), *dtype) : reduce(Reduction::k_sum, x, over);
}

Array prod(const Array& x, const Over& over, std::optional<DType> dtype) {
  return dtype ? astype(reduce(Reduction::k_prod, astype(x, *dtype), over), *dtype)
               : reduce(Reduction::k_prod, x, over);
}

Array min(const Array& x, const Over& over) { return reduce(Reduction::k_min, x, over); }
Array max(const Array& x, const Over& over) { return reduce(Reduction::k_max, x, over); }

Array mean(const Array& x, const Over& over, std::optional<DType> dtype) {
  if (dtype) return mean(astype(x, *dtype), over);
  const auto n = static_cast<double>(reduced_count(x, axes_of(x, over)));
  return divide(sum_for_mean(x, over), n);
}

Array var(const Array& x, const Over& over, double correction) {
  if (is_complex(x)) return add(var(real(x), over, correction), var(imag(x), over, correction));
  const Array in = astype(x, float_dtype(x));
  const auto n = static_cast<double>(reduced_count(x, axes_of(x, over)));
  // Of no degrees of freedom there is no variance.
  const double degrees = n - correction;
  return divide(reduce(Reduction::k_moments, in, over), degrees > 0 ? degrees : std::nan(""));
}

Array std(const Array& x, const Over& over, double correction) { return sqrt(var(x, over, correction)); }

Array any(const Array& x, const Over& over) { return logical_reduction(Reduction::k_max, false, x, over); }
Array all(const Array& x, const Over& over) { return logical_reduction(Reduction::k_min, true, x, over); }

Array count_nonzero(const Array& x, const Over& over) {
  return reduce(Reduction::k_sum, astype(astype(x, DType::k_bool), DType::k_int64), over);
}

Array argmin(const Array& x, std::optional<std::int64_t> axis, bool keepdims) {
  return arg_reduction(Reduction::k_argmin, x, axis, keepdims);
}
Array argmax(const Array& x, std::optional<std::int64_t> axis, bool keepdims) {
  return arg_reduction(Reduction::k_argmax, x, axis, keepdims);
}

Array histogram(const Array& x, const std::vector<double>& edges) {
  if (edges.size() < 2) throw ArgumentError(cat("a histogram needs at least 2 edges; got ", edges.size()));
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (!std::isfinite(edges[i])) throw ArgumentError(cat("edge ", i, " is ", edges[i], "; edges must be finite"));
    if (i > 0 && !(edges[i - 1] < edges[i]))
      throw ArgumentError(cat("edges must ascend: edge ", i, " is ", edges[i], " after ", edges[i - 1]));
  }
  if (is_complex(x)) throw DTypeError(cat("histogram got ", name_of(x.dtype()), "; count real, imag or abs"));
  const auto bins = static_cast<std::int64_t>(edges.size()) - 1;
  if (bins > std::numeric_limits<std::int32_t>::max() / 2) throw ArgumentError(cat("a histogram of ", bins, " bins"));
  const double scale = edges == even_edges(bins, edges.front(), edges.back())
                           ? static_cast<double>(bins) / (edges.back() - edges.front())
                           : 0;
  return settle(graph::make_histogram(x.node(), edges, std::isfinite(scale) ? scale : 0));
}

std::vector<double> even_edges(std::int64_t bins, double low, double high) {
  if (bins < 1) throw ArgumentError(cat("a histogram needs at least 1 bin; got ", bins));
  if (!(low < high) || !std::isfinite(low) || !std::isfinite(high)) {
    throw ArgumentError(cat("histogram range (", low, ", ", high, ") is not ascending and finite"));
  }
  // The formula of numpy.linspace, so that the same values fall into the same bins.
  std::vector<double> edges;
  const double step = (high - low) / static_cast<double>(bins);
  for (std::int64_t i = 0; i < bins; ++i) edges.push_back(low + static_cast<double>(i) * step);
  edges.push_back(high);
  return edges;
}

}  // namespace penstock
