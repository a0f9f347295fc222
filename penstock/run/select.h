// SPDX-License-Identifier: Apache-2.0
// Order statistics and sums by place, as operators.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/graph/operator.h"

namespace penstock::run {

/// (rows, n) gives (rows, ranks): of each row the elements at these places of its ascending order, NaN last. With
/// `poison`, a row of floats that has NaN gives nothing else. ranks ascend in [0, n); can_sort(dtype). What fits into
/// memory is read there several times; rows that do not are read from their file, once for each digit of 16 bits.
std::shared_ptr<const graph::Operator> make_select(DType dtype, std::int64_t rows, std::int64_t n,
                                                   std::vector<std::int64_t> ranks, bool poison);

/// Inputs: n places (int64), and with `weighted` n numbers (float64). Gives (bins): how many of the places are each bin
/// (int64), or the sum of their numbers, added up in their order (float64). Places outside [0, bins) do not count.
std::shared_ptr<const graph::Operator> make_bin_sums(std::int64_t n, std::int64_t bins, bool weighted);

}  // namespace penstock::run
