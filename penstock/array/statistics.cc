// SPDX-License-Identifier: Apache-2.0
#include "penstock/array/statistics.h"

#include <algorithm>
#include <numeric>

#include "penstock/array/settle.h"
#include "penstock/base/error.h"
#include "penstock/memory/buffer.h"
#include "penstock/run/distinct.h"
#include "penstock/run/select.h"
#include "penstock/run/sort.h"

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

Array distinct(const Array& sorted) {
  if (sorted.ndim() != 1) throw ShapeError(cat("distinct takes a vector; got shape ", shape_text(sorted.shape())));
  const DType dtype = sorted.dtype();
  if (!run::can_sort(dtype)) throw DTypeError(cat("distinct of ", name_of(dtype), ", which has no order"));
  const std::int64_t size = size_of(dtype);
  const graph::InMemory elements = sorted.data();
  PENSTOCK_CHECK(sorted.size() < 2 || elements.layout.strides[0] == size, "what was sorted lies side by side");
  const std::byte* x = elements.memory->data() + elements.layout.offset;
  const std::vector<std::int64_t> counts = run::count_distinct(dtype, x, sorted.size());
  const std::int64_t n = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  auto memory = memory::share(memory::Buffer::allocate(n * size, "distinct elements"));
  run::copy_distinct(dtype, x, sorted.size(), counts, memory->data());
  return Array(graph::make_memory(dtype, std::move(memory), contiguous({n}, size)));
}

}  // namespace penstock
