// SPDX-License-Identifier: Apache-2.0
// What an operator by indices is lent: rows of them, and the blocks of elements that they name.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "penstock/graph/operator.h"
#include "penstock/run/lines.h"
#include "penstock/run/packed.h"

namespace penstock::run {

inline constexpr std::int64_t kIndex = 8;                            // bytes of an index
inline constexpr std::int64_t kIndicesAtOnce = 8 << 10;              // that a thread takes
inline constexpr std::int64_t kIndexRoom = kIndicesAtOnce * kIndex;  // bytes: a thread's room for indices

/// Rows of int64 indices, and how they are read where they don't lie side by side.
class Indices {
 public:
  Indices(const graph::Lease& lease, std::int64_t rows) : lease_(lease), rows_(rows) {}

  /// [first, first + n) of the row for outer position `outer`. `room`: of kIndicesAtOnce.
  const std::int64_t* read(std::int64_t outer, std::int64_t first, std::int64_t n, std::byte* room) const {
    const std::byte* at =
        lease_.data + (rows_ == 1 ? 0 : outer) * lease_.layout.strides[0] + first * lease_.layout.strides[1];
    return reinterpret_cast<const std::int64_t*>(packed(at, lease_.layout.strides[1], kIndex, n, room));
  }

 private:
  const graph::Lease& lease_;
  std::int64_t rows_;
};

/// Inner elements of x side by side are one block, others each their own: calls f(offset in x, offset in the other
/// array, bytes of a block).
template <class F>
void each_block(const graph::Lease& x, std::int64_t other_stride, std::int64_t inner, std::int64_t size, const F& f) {
  if (inner == 1 || (x.layout.strides[2] == size && other_stride == size)) return f(0, 0, inner * size);
  for (std::int64_t i = 0; i < inner; ++i) f(i * x.layout.strides[2], i * other_stride, size);
}

/// How many pieces cut() makes.
inline std::int64_t cuts_of(std::int64_t n, std::int64_t step) {
  return n > 0 ? (n - 1) / std::max<std::int64_t>(step, 1) + 1 : 1;
}

/// Rows of indices that steps of at most so many bytes read, where one takes one or more whole planes.
inline std::int64_t rows_read(std::int64_t index_rows, std::int64_t outer, std::int64_t plane, std::int64_t bytes) {
  return index_rows == 1 ? cuts_of(outer, bytes / std::max<std::int64_t>(plane, 1)) : outer;
}

}  // namespace penstock::run
