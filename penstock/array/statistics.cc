// SPDX-License-Identifier: Apache-2.0
#include "penstock/array/statistics.h"

#include <algorithm>
#include <numeric>

#include "penstock/array/settle.h"
#include "penstock/base/error.h"
#include "penstock/run/distinct.h"
#include "penstock/run/keep.h"
#include "penstock/run/select.h"
#include "penstock/run/sort.h"
#include "penstock/type/slice.h"

namespace penstock {
Array order_statistics(const Array& x, std::vector<std::int64_t> ranks, bool poison) {
  if (x.ndim() == 0) throw ShapeError("order statistics need an axis; got a number");
  const DType dtype = x.dtype() == DType::k_float16 ? DType::k_float32 : x.dtype();
  if (!run::can_sort(dtype))
    throw DTypeError(cat("order statistics of ", name_of(dtype), ", which has no order; take real, imag or abs"));
  const std::int64_t n = x.shape().back();
  if (!std::is_sorted(ranks.begin(), ranks.end()) || (!ranks.empty() && (ranks.front() < 0 || ranks.back() >= n)))
    throw ArgumentError(cat("ranks do not ascend in [0, ", n, ")"));
  Dims shape = x.shape();
  shape.pop_back();
  const std::int64_t rows = count(shape);
  const auto found = std::ssize(ranks);
  shape.push_back(found);
  return reshape(operated(dtype, {rows, found}, run::make_select(dtype, rows, n, std::move(ranks), poison),
                          {reshape(astype(x, dtype), {rows, n})}),
                 shape);
}

Array bin_sums(const Array& places, const std::optional<Array>& weights, std::int64_t bins) {
  if (places.ndim() != 1 || (weights && weights->shape() != places.shape())) {
    throw ShapeError(cat("places are a vector and weights another of its length; got shapes ",
                         shape_text(places.shape()), " and ", shape_text(weights ? weights->shape() : Dims{})));
  }
  if (!is_integer(places.dtype())) throw DTypeError(cat("places are integers; got ", name_of(places.dtype())));
  std::vector<Array> inputs{astype(places, DType::k_int64)};
  if (weights) inputs.push_back(astype(*weights, DType::k_float64));
  return operated(weights ? DType::k_float64 : DType::k_int64, {bins},
                  run::make_bin_sums(places.size(), bins, weights.has_value()), inputs);
}

namespace {

/// Calls f(number, elements, n, whether there are elements before) for pieces of a vector side by side.
template <class F>
void for_pieces(const Array& x, std::int64_t piece, const F& f) {
  for (std::int64_t first = 0; first < x.size(); first += piece) {
    const std::int64_t before = first > 0 ? 1 : 0;
    const std::int64_t n = std::min(piece, x.size() - first);
    const graph::InMemory part = x[{slice(first - before, first + n)}].data();
    const std::int64_t size = size_of(x.dtype());
    PENSTOCK_CHECK(n + before < 2 || part.layout.strides[0] == size, "what was sorted lies side by side");
    const std::byte* elements = part.memory->data() + part.layout.offset + before * size;
    f(static_cast<std::size_t>(first / piece), elements, n, before > 0);
  }
}

}  // namespace

Array distinct(const Array& sorted) {
  if (sorted.ndim() != 1) throw ShapeError(cat("distinct takes a vector; got shape ", shape_text(sorted.shape())));
  const DType dtype = sorted.dtype();
  if (!run::can_sort(dtype)) throw DTypeError(cat("distinct of ", name_of(dtype), ", which has no order"));
  const Array x = sorted.evaluated() ? sorted : kept({sorted})[0];
  const std::int64_t piece = run::piece_of(x.size(), 2 * size_of(dtype));
  std::vector<std::vector<std::int64_t>> counts;  // of each piece
  std::int64_t n = 0;
  for_pieces(x, piece, [&](std::size_t, const std::byte* from, std::int64_t m, bool follows) {
    counts.push_back(run::count_distinct(dtype, from, m, follows));
    n += std::reduce(counts.back().begin(), counts.back().end());
  });
  run::Collector found(dtype, n, "distinct elements");
  for_pieces(x, piece, [&](std::size_t number, const std::byte* from, std::int64_t m, bool follows) {
    const std::int64_t some = std::reduce(counts[number].begin(), counts[number].end());
    run::copy_distinct(dtype, from, m, counts[number], found.room(some), follows);
    found.take(some);
  });
  return Array(found.finish());
}

}  // namespace penstock
