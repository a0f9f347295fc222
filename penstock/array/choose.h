// SPDX-License-Identifier: Apache-2.0
// Elements by their places, places by their elements: take, put, nonzero, sort, searchsorted; and cumulative sums.
#pragma once

#include <optional>

#include "penstock/array/array.h"

namespace penstock {

// Indices are integers, negative ones count from the end. They are kept() at the call, which throws OutOfRangeError for
// one out of range and DTypeError for what is no integer.

/// x with `indices` (of any shape, which replaces the axis) along an axis.
Array take(const Array& x, const Array& indices, std::int64_t axis);
/// out[..., j, ...] = x[..., indices[..., j, ...], ...]: of one rank, the other axes broadcast. Throws ShapeError.
Array take_along_axis(const Array& x, const Array& indices, std::int64_t axis = -1);
/// x with its parts named by one-dimensional `indices` along the first axis replaced by `values`, which broadcast to
/// (indices,) + x.shape[1:]; of equal indices the last stays.
Array put(const Array& x, const Array& indices, const Array& values);
/// Places of the elements that are not zero, in C order of x flattened; int64. Found at the call, and kept().
Array flat_nonzero(const Array& x);

// A condition is bool and as large as the leading axes of x, which it stands for.

/// The parts of x where the condition holds, in C order: (count,) + the other axes. The condition is kept() at the
/// call.
Array masked_select(const Array& x, const Array& condition);
/// x with these parts replaced by `values`, which broadcast to their shape.
Array masked_put(const Array& x, const Array& condition, const Array& values);
/// As masked_put, where values are the same for all parts, lazily; nothing where they are not.
std::optional<Array> masked_fill(const Array& x, const Array& condition, const Array& values);

// What the functions above give where arrays are small and in memory; nothing otherwise. Never waits for an evaluation.
std::optional<Array> take_at_once(const Array& x, const Array& indices, std::int64_t axis);
std::optional<Array> put_at_once(const Array& x, const Array& indices, const Array& values);
std::optional<Array> masked_select_at_once(const Array& x, const Array& condition);

/// Along an axis, ascending or descending; equal elements keep their order, NaN comes last. Throws DTypeError for
/// complex numbers.
Array sort(const Array& x, std::int64_t axis = -1, bool descending = false);
/// The int64 places of the elements in that order.
Array argsort(const Array& x, std::int64_t axis = -1, bool descending = false);
/// How many elements of the sorted vector lie before each of x, with `right` the equal ones too; int64, x's shape.
Array searchsorted(const Array& sorted, const Array& x, bool right = false);

/// Whether each of x is one of the sorted vector's elements; bool, x's shape. NaN is none.
Array is_in_sorted(const Array& sorted, const Array& x);

/// Along an axis; `initial` puts the sum (product) of nothing before. Small integers and bool add up in 64 bits unless
/// `dtype` says otherwise.
Array cumulative_sum(const Array& x, std::int64_t axis, std::optional<DType> dtype = {}, bool initial = false);
Array cumulative_prod(const Array& x, std::int64_t axis, std::optional<DType> dtype = {}, bool initial = false);

}  // namespace penstock
