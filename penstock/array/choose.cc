// SPDX-License-Identifier: Apache-2.0
#include "penstock/array/choose.h"

#include <algorithm>

#include "penstock/array/settle.h"
#include "penstock/base/error.h"
#include "penstock/op/infer.h"
#include "penstock/run/at_once.h"
#include "penstock/run/choose_at_once.h"
#include "penstock/run/gather.h"
#include "penstock/run/keep.h"
#include "penstock/run/nonzero.h"
#include "penstock/run/operate.h"
#include "penstock/run/scan.h"
#include "penstock/run/search.h"
#include "penstock/run/sort.h"
#include "penstock/type/slice.h"

namespace penstock {
namespace {

std::int64_t extent(const Array& x, int axis) { return x.shape()[static_cast<std::size_t>(axis)]; }

/// What lies before, along and behind an axis.
run::Lines lines_of(const Dims& shape, int axis) {
  run::Lines lines;
  for (int d = 0; d < static_cast<int>(shape.size()); ++d) {
    std::int64_t& side = d < axis ? lines.outer : d == axis ? lines.n : lines.inner;
    (d == axis ? side = 1 : side) *= shape[static_cast<std::size_t>(d)];
  }
  return lines;
}

/// Indices in [0, extent), int64, and where they lie.
struct Places {
  Array index;
  run::IndexRange range;
};

[[noreturn]] void refuse(const std::string& index, int axis, std::int64_t extent) {
  throw OutOfRangeError(cat("index ", index, " is out of range for axis ", axis, " of extent ", extent));
}

Places places(const Array& given, int axis, std::int64_t extent, const char* what) {
  if (!is_integer(given.dtype()))
    throw DTypeError(cat(what, " takes indices of an integer dtype; got ", name_of(given.dtype())));
  if (given.size() == 0) return {astype(given, DType::k_int64), {}};
  const Array indices = given.evaluated() ? given : kept({given})[0];
  const Array least = min(indices);
  const Array greatest = max(indices);
  evaluate({least, greatest});
  if (indices.dtype() == DType::k_uint64) {
    const auto most = greatest.item<std::uint64_t>();
    if (most >= static_cast<std::uint64_t>(extent)) refuse(cat(most), axis, extent);
  }
  const run::IndexRange range{least.item<std::int64_t>(), greatest.item<std::int64_t>()};
  if (range.least < -extent) refuse(cat(range.least), axis, extent);
  if (range.greatest >= extent) refuse(cat(range.greatest), axis, extent);
  const Array index = astype(indices, DType::k_int64);
  if (range.least >= 0) return {index, range};
  return {elementwise(Op::k_where, {less(index, 0), add(index, extent), index}), {0, extent - 1}};
}

/// Both shapes with the axis left as it is and the others broadcast.
void broadcast_others(Array& x, Array& indices, int axis) {
  if (x.ndim() != indices.ndim()) {
    throw ShapeError(cat("take_along_axis needs indices of as many axes as the array; got shapes ",
                         shape_text(indices.shape()), " and ", shape_text(x.shape())));
  }
  const auto with = [axis](Dims shape, std::int64_t n) {
    shape[static_cast<std::size_t>(axis)] = n;
    return shape;
  };
  const Dims common = broadcast(with(x.shape(), 1), with(indices.shape(), 1));
  x = broadcast_to(x, with(common, extent(x, axis)));
  indices = broadcast_to(indices, with(common, extent(indices, axis)));
}

const char* name_of(run::Sorted what) { return what == run::Sorted::kValues ? "sort" : "argsort"; }

Array sorted(run::Sorted what, const Array& x_, std::int64_t axis_, bool descending) {
  const Array x = x_.dtype() == DType::k_float16 ? astype(x_, DType::k_float32) : x_;
  if (!run::can_sort(x.dtype()))
    throw DTypeError(cat(name_of(what), " cannot order ", name_of(x.dtype()), "; sort its real or imaginary part"));
  const std::int64_t axis = normal_axis(axis_, x.ndim());
  const Array moved = moveaxis(x, {axis}, {-1});
  const run::Lines lines = lines_of(moved.shape(), moved.ndim() - 1);
  const DType result = what == run::Sorted::kValues ? x.dtype() : DType::k_int64;
  const Array rows =
      operated(result, {lines.outer, lines.n}, run::make_sort(what, x.dtype(), lines.outer, lines.n, descending),
               {reshape(moved, {lines.outer, lines.n})});
  return moveaxis(reshape(rows, moved.shape()), {-1}, {axis});
}

Array cumulative(run::Cumulative what, const Array& x, std::int64_t axis_, std::optional<DType> dtype, bool initial) {
  const bool sums = what == run::Cumulative::kSum;
  const int axis = normal_axis(axis_, x.ndim());
  const DType result = dtype.value_or(reduced_dtype(sums ? Reduction::k_sum : Reduction::k_prod, x.dtype()));
  if (!run::can_scan(result))
    throw DTypeError(cat(sums ? "cumulative_sum" : "cumulative_prod", " cannot add up in ", name_of(result)));
  const run::Lines lines = lines_of(x.shape(), axis);
  const Array in = reshape(astype(x, result), lines.shape());
  const Array out = reshape(operated(result, lines.shape(), run::make_scan(what, result, lines), {in}), x.shape());
  if (!initial) return out;
  Dims shape = x.shape();
  shape[static_cast<std::size_t>(axis)] = 1;
  return concat({full(shape, {Kind::kInt, std::int64_t{sums ? 0 : 1}}, result), out}, axis);
}

Array sought(const Array& sorted, const Array& x, run::Sought what) {
  const bool whether = what == run::Sought::kWhether;
  const char* name = whether ? "isin" : "searchsorted";
  if (sorted.ndim() != 1)
    throw ShapeError(cat(name, " looks into one sorted vector; got shape ", shape_text(sorted.shape())));
  DType dtype = promote(sorted.dtype(), x.dtype());
  if (dtype == DType::k_float16) dtype = DType::k_float32;
  if (!run::can_sort(dtype))
    throw DTypeError(cat(name, " cannot order ", name_of(dtype), "; look for its real or imaginary part"));
  const Array found = operated(whether ? DType::k_bool : DType::k_int64, {x.size()},
                               run::make_search(dtype, sorted.size(), x.size(), what),
                               {astype(sorted, dtype), reshape(astype(x, dtype), {x.size()})});
  return reshape(found, x.shape());
}

/// The ranges of blocks of a vector of indices.
std::vector<run::IndexRange> block_ranges(const Array& index) {
  const std::int64_t whole = index.size() / run::kRangeBlock;
  const std::int64_t end = whole * run::kRangeBlock;
  const Array blocks = reshape(index[{slice(0, end)}], {whole, run::kRangeBlock});
  const Over rows{Dims{1}};
  std::vector<Array> found{min(blocks, rows), max(blocks, rows)};
  if (end < index.size()) {
    const Array rest = reshape(index[{slice(end, index.size())}], {1, index.size() - end});
    found = {concat({found[0], min(rest, rows)}), concat({found[1], max(rest, rows)})};
  }
  evaluate(found);
  std::vector<run::IndexRange> ranges(static_cast<std::size_t>(found[0].size()));
  for (std::size_t b = 0; b < ranges.size(); ++b) {
    const Index at{Index::Type::kInteger, static_cast<std::int64_t>(b), {}, 1, true};
    ranges[b] = {found[0][{at}].item<std::int64_t>(), found[1][{at}].item<std::int64_t>()};
  }
  return ranges;
}

std::optional<Array> array_if(graph::NodeRef node) {
  return node == nullptr ? std::nullopt : std::optional(Array(std::move(node)));
}

/// The shape of x with an axis replaced by those of indices.
Dims taken_shape(const Array& x, const Dims& indices, int axis) {
  Dims shape(x.shape().begin(), x.shape().begin() + axis);
  shape.insert(shape.end(), indices.begin(), indices.end());
  shape.insert(shape.end(), x.shape().begin() + axis + 1, x.shape().end());
  return shape;
}

Array taken(const Array& x, const Places& at, int axis) {
  const run::Lines lines = lines_of(x.shape(), axis);
  const std::int64_t k = at.index.size();
  const Array index = reshape(at.index, {k});
  const bool streams = k > run::kRangeBlock && !run::has_room(x.nbytes() + 2 * index.nbytes(), run::Keep::kBeside);
  const Array chosen = operated(x.dtype(), {lines.outer, k, lines.inner},
                                run::make_gather(size_of(x.dtype()), lines, 1, k, at.range,
                                                 streams ? block_ranges(index) : std::vector<run::IndexRange>{}),
                                {reshape(x, lines.shape()), reshape(index, {1, k})});
  return reshape(chosen, taken_shape(x, at.index.shape(), axis));
}

/// x with its parts at `index` along the first axis replaced.
Array replaced(const Array& x, const Array& index, const Array& values) {
  Dims shape = x.shape();
  shape[0] = index.size();
  const Array fitted = broadcast_to(astype(values, x.dtype()), shape);
  const run::Lines lines = lines_of(x.shape(), 0);
  const std::int64_t k = index.size();
  return reshape(operated(x.dtype(), lines.shape(), run::make_scatter(size_of(x.dtype()), lines, 1, k),
                          {reshape(x, lines.shape()), reshape(index, {1, k}), reshape(fitted, {1, k, lines.inner})}),
                 x.shape());
}

std::optional<Array> flat_nonzero_at_once(const Array& x) {
  return x.held_node() == nullptr ? std::nullopt : array_if(run::nonzero_at_once(*x.held_node()));
}

/// x with the axes that a condition stands for as one.
Array rows_of(const Array& x, const Array& condition) {
  Dims shape{condition.size()};
  shape.insert(shape.end(), x.shape().begin() + condition.ndim(), x.shape().end());
  return reshape(x, shape);
}

}  // namespace

std::optional<Array> take_at_once(const Array& x, const Array& indices, std::int64_t axis_) {
  const int axis = normal_axis(axis_, x.ndim());
  if (x.held_node() == nullptr || indices.held_node() == nullptr || !is_integer(indices.dtype())) return std::nullopt;
  return array_if(run::take_at_once(*x.held_node(), *indices.held_node(), lines_of(x.shape(), axis),
                                    taken_shape(x, indices.shape(), axis)));
}

Array take(const Array& x, const Array& indices, std::int64_t axis_) {
  if (std::optional<Array> done = take_at_once(x, indices, axis_)) return std::move(*done);
  const int axis = normal_axis(axis_, x.ndim());
  return taken(x, places(indices, axis, extent(x, axis), "take"), axis);
}

Array take_along_axis(const Array& x_, const Array& indices_, std::int64_t axis_) {
  const int axis = normal_axis(axis_, x_.ndim());
  Array x = x_;
  Array indices = indices_;
  broadcast_others(x, indices, axis);
  const Places at = places(indices, axis, extent(x, axis), "take_along_axis");
  // A row of indices for each line: the axis comes last.
  const Array lines = moveaxis(x, {axis}, {-1});
  const Array rows = moveaxis(at.index, {axis}, {-1});
  const std::int64_t k = extent(indices, axis);
  const std::int64_t n = extent(x, axis);
  const std::int64_t outer = count({rows.shape().begin(), rows.shape().end() - 1});
  const Array chosen =
      operated(x.dtype(), {outer, k, 1}, run::make_gather(size_of(x.dtype()), {outer, n, 1}, outer, k, at.range),
               {reshape(lines, {outer, n, 1}), reshape(rows, {outer, k})});
  return moveaxis(reshape(chosen, rows.shape()), {-1}, {axis});
}

std::optional<Array> put_at_once(const Array& x, const Array& indices, const Array& values) {
  if (x.ndim() == 0 || indices.ndim() != 1 || values.ndim() > x.ndim() || !is_integer(indices.dtype()))
    return std::nullopt;
  const Array fitted = values.size() <= run::kMostAtOnce ? astype(values, x.dtype()) : values;
  if (x.held_node() == nullptr || indices.held_node() == nullptr || fitted.dtype() != x.dtype()) return std::nullopt;
  run::SmallOperand operand{fitted.held_node(), {}};
  if (operand.node == nullptr) operand.value = *fitted.element();
  return array_if(run::put_at_once(*x.held_node(), *indices.held_node(), operand));
}

Array put(const Array& x, const Array& indices, const Array& values) {
  if (x.ndim() == 0 || indices.ndim() != 1) {
    throw ShapeError(cat("put takes a vector of indices along the first axis; got indices of shape ",
                         shape_text(indices.shape()), " for ", shape_text(x.shape())));
  }
  if (std::optional<Array> done = put_at_once(x, indices, values)) return std::move(*done);
  return replaced(x, places(indices, 0, x.shape()[0], "put").index, values);
}

Array masked_select(const Array& x, const Array& condition) {
  const Array at = flat_nonzero(condition);
  const run::IndexRange range = at.size() == 0 ? run::IndexRange{} : run::IndexRange{0, condition.size() - 1};
  return taken(rows_of(x, condition), {at, range}, 0);
}

std::optional<Array> masked_select_at_once(const Array& x, const Array& condition) {
  if (!x.evaluated()) return std::nullopt;
  const std::optional<Array> at = flat_nonzero_at_once(condition);
  return at ? take_at_once(rows_of(x, condition), *at, 0) : std::nullopt;
}

std::optional<Array> masked_fill(const Array& x, const Array& condition, const Array& values) {
  if (values.ndim() > x.ndim() - condition.ndim() && values.size() != 1) return std::nullopt;
  Dims shape = condition.shape();
  shape.resize(x.shape().size(), 1);
  const Array value = astype(values.size() == 1 ? reshape(values, {}) : values, x.dtype());
  const Dims part(x.shape().begin() + condition.ndim(), x.shape().end());
  return elementwise(Op::k_where,
                     {reshape(condition, shape), broadcast_to(value, value.ndim() == 0 ? Dims{} : part), x});
}

Array masked_put(const Array& x, const Array& condition, const Array& values) {
  if (std::optional<Array> done = masked_fill(x, condition, values)) return std::move(*done);
  return reshape(replaced(rows_of(x, condition), flat_nonzero(condition), values), x.shape());
}

Array flat_nonzero(const Array& x) {
  if (std::optional<Array> done = flat_nonzero_at_once(x)) return std::move(*done);
  const Array flat = astype(reshape(x, {x.size()}), DType::k_bool);
  const Array condition = flat.evaluated() ? flat : kept({flat})[0];
  run::Collector places(DType::k_int64, count_nonzero(condition).item<std::int64_t>(),
                        "the places of nonzero elements");
  const std::int64_t n = places.size();
  const std::int64_t piece = run::piece_of(x.size(), 1 + size_of(DType::k_int64));
  for (std::int64_t first = 0; first < x.size(); first += piece) {
    const graph::InMemory part = condition[{slice(first, std::min(first + piece, x.size()))}].data();
    const std::int64_t most = std::min(part.layout.size(), n - places.taken());
    auto* const to = reinterpret_cast<std::int64_t*>(places.room(most));
    const std::byte* from = part.memory->data() + part.layout.offset;
    places.take(run::nonzero(from, part.layout.strides[0], part.layout.size(), first, to, to + most) - to);
  }
  // Memory that somebody wrote to meanwhile has other nonzero elements now.
  if (places.taken() != n) throw ArgumentError("nonzero: the elements changed while they were read");
  return Array(places.finish());
}

Array sort(const Array& x, std::int64_t axis, bool descending) {
  return sorted(run::Sorted::kValues, x, axis, descending);
}

Array argsort(const Array& x, std::int64_t axis, bool descending) {
  return sorted(run::Sorted::kPlaces, x, axis, descending);
}

Array searchsorted(const Array& sorted, const Array& x, bool right) {
  return sought(sorted, x, right ? run::Sought::kUpTo : run::Sought::kBefore);
}

Array is_in_sorted(const Array& sorted, const Array& x) { return sought(sorted, x, run::Sought::kWhether); }

Array cumulative_sum(const Array& x, std::int64_t axis, std::optional<DType> dtype, bool initial) {
  return cumulative(run::Cumulative::kSum, x, axis, dtype, initial);
}

Array cumulative_prod(const Array& x, std::int64_t axis, std::optional<DType> dtype, bool initial) {
  return cumulative(run::Cumulative::kProduct, x, axis, dtype, initial);
}

}  // namespace penstock
