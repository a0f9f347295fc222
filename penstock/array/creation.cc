// SPDX-License-Identifier: Apache-2.0
// Arrays from nothing: constants and counters, which take no memory until they are evaluated.

#include <algorithm>
#include <cmath>
#include <utility>

#include "penstock/array/array.h"
#include "penstock/array/number.h"
#include "penstock/array/settle.h"
#include "penstock/base/error.h"
#include "penstock/run/make_at_once.h"

namespace penstock {
namespace {

double as_double(const Number& number) {
  return std::visit(
      []<class T>(T value) -> double {
        if constexpr (std::is_same_v<T, std::complex<double>>)
          throw DTypeError("arange takes real numbers");
        else
          return static_cast<double>(value);
      },
      number.value);
}

/// How many of start, start + step, ... come before stop.
std::int64_t steps_between(const Number& start, const Number& stop, const Number& step) {
  const auto* a = std::get_if<std::int64_t>(&start.value);
  const auto* b = std::get_if<std::int64_t>(&stop.value);
  const auto* s = std::get_if<std::int64_t>(&step.value);
  if (as_double(step) == 0) throw ArgumentError("arange got step 0");
  if (a != nullptr && b != nullptr && s != nullptr) {
    if (*s > 0 ? *a >= *b : *a <= *b) return 0;
    // Unsigned, because distance and step may both need 64 bits.
    const std::uint64_t distance = *s > 0 ? static_cast<std::uint64_t>(*b) - static_cast<std::uint64_t>(*a)
                                          : static_cast<std::uint64_t>(*a) - static_cast<std::uint64_t>(*b);
    const std::uint64_t width = *s > 0 ? static_cast<std::uint64_t>(*s) : 0 - static_cast<std::uint64_t>(*s);
    return static_cast<std::int64_t>((distance - 1) / width + 1);
  }
  const double n = std::ceil((as_double(stop) - as_double(start)) / as_double(step));
  if (!(n < 0x1p62)) throw ArgumentError("arange has no end: start, stop and step must be finite");
  return n > 0 ? static_cast<std::int64_t>(n) : 0;
}

/// Column index minus row index of each element of a matrix (or stack of matrices).
Array diagonal_number(std::int64_t rows, std::int64_t columns) {
  const Number zero{Kind::kInt, std::int64_t{0}};
  const Number one{Kind::kInt, std::int64_t{1}};
  const Array row = arange(zero, {Kind::kInt, rows}, one);
  const Array column = arange(zero, {Kind::kInt, columns}, one);
  return subtract(column, reshape(row, {rows, 1}));
}

/// start, start + step, ...: n of them.
Array counted(const graph::Scalar& start, const graph::Scalar& step, std::int64_t n) {
  graph::NodeRef few = run::counted_at_once(start, step, n);
  return Array(few != nullptr ? std::move(few) : graph::make_iota(start, step, {n}));
}

Array triangle(const Array& x, std::int64_t k, bool lower) {
  if (x.ndim() < 2) throw ShapeError(cat("a triangle needs 2 dimensions; got shape ", shape_text(x.shape())));
  const Array number = diagonal_number(x.shape()[x.shape().size() - 2], x.shape().back());
  const Array keep = lower ? less_equal(number, k) : greater_equal(number, k);
  const Number nothing =
      kind_of(x.dtype()) == Kind::kBool ? Number{Kind::kBool, false} : Number{Kind::kInt, std::int64_t{0}};
  return where(keep, x, full({}, nothing, x.dtype()));
}

}  // namespace

Array full(const Dims& shape, const Number& value, std::optional<DType> dtype) {
  const graph::Scalar element = scalar_of(value, dtype.value_or(default_dtype(value)));
  // A single element stands for all it is computed with: as a constant.
  graph::NodeRef few = count(shape) > 1 ? run::filled_at_once(element, shape) : nullptr;
  return Array(few != nullptr ? std::move(few) : graph::make_constant(element, shape));
}

Array arange(const Number& start, const Number& stop, const Number& step, std::optional<DType> dtype) {
  const std::int64_t n = steps_between(start, stop, step);
  DType own = default_dtype(start);
  own = promote(promote(own, default_dtype(stop)), default_dtype(step));
  const DType wanted = dtype.value_or(own == DType::k_bool ? DType::k_int64 : own);
  // Counted in the numbers' own dtype, then converted: arange(0, 3, 0.5) in int64 is what NumPy makes of it elsewhere.
  const DType computed = is_integer(own) && is_integer(wanted) ? wanted : own;
  return astype(counted(scalar_of(start, computed), scalar_of(step, computed), n), wanted);
}

Array linspace(double start, double stop, std::int64_t num, DType dtype, bool endpoint) {
  if (num < 0) throw ArgumentError(cat("linspace got num ", num, "; it must be at least 0"));
  const std::int64_t gaps = endpoint ? num - 1 : num;
  const double step = gaps > 0 ? (stop - start) / static_cast<double>(gaps) : 0;
  const Array line = counted(graph::Scalar::of(start), graph::Scalar::of(step), num);
  if (!endpoint || num < 2) return astype(line, dtype);
  const Array index = counted(graph::Scalar::of(std::int64_t{0}), graph::Scalar::of(std::int64_t{1}), num);
  return astype(where(equal(index, num - 1), stop, line), dtype);
}

Array eye(std::int64_t rows, std::int64_t columns, std::int64_t k, DType dtype) {
  return astype(equal(diagonal_number(rows, columns), k), dtype);
}

Array tril(const Array& x, std::int64_t k) { return triangle(x, k, true); }
Array triu(const Array& x, std::int64_t k) { return triangle(x, k, false); }

}  // namespace penstock
