// SPDX-License-Identifier: Apache-2.0
// External merge sort, of a line that memory has no room for: pieces are sorted into a scratch file, which is then read
// at as many places as there are pieces. Where they are too many, some are merged into longer ones first.
#pragma once

#include <cstdint>

#include "penstock/run/in_passes.h"
#include "penstock/run/key_sort.h"

namespace penstock::run {

/// What is sorted: row `row` of the operator's only input, n elements of `dtype`.
struct LongLine {
  DType dtype;
  std::int64_t row = 0;
  std::int64_t n = 0;
  std::int64_t out_size = 0;  // bytes of an element of the result
};

/// Bytes of memory that it needs at least.
std::int64_t least_bytes_of_long_sort(const LongLine& line, const KeySort& sort);

/// Reads the row and writes it sorted. Throws NoSpaceError or FileError of the scratch file, and what `access` throws.
void sort_long_line(const LongLine& line, const KeySort& sort, Access& access);

}  // namespace penstock::run
