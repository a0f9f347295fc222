// SPDX-License-Identifier: Apache-2.0
// Operands that lie turned in their file: transposed, in Fortran order, or with their axes permuted in any way, so that
// a walk in C order would touch one element of each page. Their tiles are transposed into the order of the walk, block
// by block in the cache, before kernels see them.
//
//   file, walked as (row, column)        tile: rows [r0, r1), all columns
//   column 0   r0 ... r1                 row r0    column 0, 1, 2, ...
//   column 1   r0 ... r1         ->      row r0+1  column 0, 1, 2, ...
//   ...        runs of a tile's rows     ...       contiguous
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "penstock/type/shape.h"

namespace penstock::run {

struct PassContext;

/// Elements [begin, end) in C order of an iteration space.
struct Stretch {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// The bytes of `layout` that elements [stretch.begin, stretch.end) of its shape touch, or a little more.
ByteRange hull(const Layout& layout, std::int64_t itemsize, Stretch stretch);

/// Whether a walk in C order goes through the bytes of `layout` in order, so that tiles need separate bytes.
bool front_to_back(const Layout& layout, std::int64_t itemsize);

/// How an operand's tiles are turned.
struct Turning {
  Layout walk;                     // in the file, in the order of the walk: coalesced, its elements items
  std::int64_t item = 1;           // bytes moved as one: an element, or a short run of them
  std::int64_t item_elements = 1;  // elements in it
  int fast = 0;                    // the axis along which the file's bytes lie together
  std::int64_t row = 1;            // items of one step of that axis
  std::int64_t row_bytes = 1;      // of that step in a tile: padded where steps would meet in the same cache sets

  bool operator==(const Turning&) const = default;

  /// Elements of the walk in a tile whose pieces of the file are about `run` bytes long.
  std::int64_t elements_for(std::int64_t run) const;
  /// Bytes of a tile.
  std::int64_t bytes(Stretch stretch) const;
  /// Byte offset of an element's item in a tile that held the whole walk.
  std::int64_t offset(std::int64_t element) const;
  /// Byte offset in such a tile of the first byte of one that begins with the element: rows keep their places in cache
  /// lines.
  std::int64_t start(std::int64_t element) const;
  /// The layout of a walk of `shape` in such a tile.
  Layout in_tile(const Dims& shape) const;
};

/// Nothing when kernels read the layout as well where it lies. `walk`: of the iteration space as it is walked;
/// `least`: bytes from which on it is worth while.
std::optional<Turning> turning_of(const Layout& walk, std::int64_t itemsize, std::int64_t least);

/// Moves the stretch's elements from `file` (byte 0 of the layout) to `tile` (start(stretch.begin) of the
/// turning). Guarded by the context, in parallel.
void turn(const Turning& how, Stretch stretch, const std::byte* file, std::byte* tile, const PassContext& context);

}  // namespace penstock::run
