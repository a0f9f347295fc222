// SPDX-License-Identifier: Apache-2.0
// Products of two matrices in memory on several threads: packed, blocked for the caches, tile by tile in registers.
//
//   for each block of columns of b that fits into L3, for each kProductDepth rows of it:
//     pack b into panels                                            all threads
//     for each block of rows of a that fits into L2: pack it, multiply its panels with those of b      a thread each
//
// Who computes a tile makes no difference to its bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/kernel/table.h"
#include "penstock/run/crew.h"
#include "penstock/type/dtype.h"

namespace penstock::run {

/// Where a matrix's elements lie: strides in bytes, of any sign.
struct Matrix {
  const std::byte* data = nullptr;
  std::int64_t row_stride = 0;
  std::int64_t column_stride = 0;

  Matrix turned() const { return {data, column_stride, row_stride}; }
};

/// out (m x n) = a (m x k) b (k x n).
struct Extents {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
};

/// Threads worth waking for a product of these extents.
int workers_for(const Extents& extents, int threads);

/// Bytes that gemm() takes from the pool, at most.
std::int64_t gemm_bytes(DType dtype, const Extents& extents, int threads);

/// Writes the product to `out`, or adds it to what is there; rows lie `stride` bytes apart, the elements of each side
/// by side. k may be 0. `out` overlaps neither operand. Throws BudgetError and what the crew's tick throws.
void gemm(DType dtype, const Extents& extents, const Matrix& a, const Matrix& b, std::byte* out, std::int64_t stride,
          bool add, const Crew& crew);

}  // namespace penstock::run
