// SPDX-License-Identifier: Apache-2.0
// The distinct ones of sorted elements in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "penstock/type/dtype.h"

namespace penstock::run {

/// How many of n elements side by side differ from the one before, for each piece of them that a thread looks at; the
/// first differs, unless it `follows` an element at x[-1] to compare it with. NaN differs from NaN. can_sort(dtype).
std::vector<std::int64_t> count_distinct(DType dtype, const std::byte* x, std::int64_t n, bool follows = false);

/// Copies them to `to`, one behind the other. `counts` is what count_distinct() gave.
void copy_distinct(DType dtype, const std::byte* x, std::int64_t n, const std::vector<std::int64_t>& counts,
                   std::byte* to, bool follows = false);

}  // namespace penstock::run
