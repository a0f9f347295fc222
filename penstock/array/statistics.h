// SPDX-License-Identifier: Apache-2.0
// What statistics are made of: order statistics, and sums by place.
#pragma once

#include <optional>
#include <vector>

#include "penstock/array/array.h"

namespace penstock {

/// Along the last axis, of n elements, those at `ranks`, ascending in [0, n), of the sorted ones: the last axis then
/// has as many elements as there are ranks. NaN comes last; with `poison` lines that have NaN give nothing else.
/// Nothing is sorted. Throws DTypeError for complex numbers, ShapeError for no axis, ArgumentError for other ranks.
Array order_statistics(const Array& x, std::vector<std::int64_t> ranks, bool poison);

/// Of vectors of equal length: how many of the integers `places` are each of 0 ... bins - 1 (int64), or the sums of
/// their `weights` (float64). Other places do not count. Throws ShapeError, DTypeError.
Array bin_sums(const Array& places, const std::optional<Array>& weights, std::int64_t bins);

/// The elements of a sorted vector without those equal to the one before, kept(). Each NaN is there. Throws DTypeError
/// for complex numbers.
Array distinct(const Array& sorted);

}  // namespace penstock
