// SPDX-License-Identifier: Apache-2.0
// Sorting as an operator.
#pragma once

#include <memory>

#include "penstock/graph/operator.h"

namespace penstock::run {

enum class Sorted : std::uint8_t { kValues, kPlaces };

/// Whether elements of a dtype have an order: not complex numbers; nothing computes in float16.
bool can_sort(DType dtype);

/// (rows, n) gives each row sorted (kernel/sort.h), or the int64 places of its elements in that order. can_sort(dtype).
std::shared_ptr<const graph::Operator> make_sort(Sorted what, DType dtype, std::int64_t rows, std::int64_t n,
                                                 bool descending);

}  // namespace penstock::run
