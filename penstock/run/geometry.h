// SPDX-License-Identifier: Apache-2.0
// How a reduction's iteration space is cut into cores. A function of shape and axes alone, because the tree of
// additions follows from it.
//
//   dimensions   [ outer: any mix of kept and reduced ][ core: L reduced x M kept, side by side ]
//
//   rows      the innermost axes are reduced, 64 or more in a run: M = 1
//   narrow    the innermost axes are kept, fewer than 64: M lanes-wide groups side by side
//   columns   the innermost axes are kept, 64 or more: each column is a core of its own, folded row by row
//
// A short innermost reduced run (below 64) is walked outside the kept axes before it, which makes it narrow or columns.
#pragma once

#include <cstdint>
#include <vector>

#include "penstock/type/shape.h"

namespace penstock::run {

struct Geometry {
  struct Outer {
    std::int64_t extent;
    bool reduced;
    std::int64_t output_stride;  // cores of the output per step; 0 when reduced
  };

  std::vector<int> order;  // the iteration's axes as they are walked
  std::vector<Outer> outer;
  std::int64_t length = 1;    // L
  std::int64_t channels = 1;  // M
  bool columns = false;
  bool split_kept = false;  // the leading axis is among the core's kept ones, walked inside the reduced run

  std::int64_t core_size() const { return length * channels; }
  std::int64_t cores() const;
  /// Cores that meet in one output, in order of their number.
  std::int64_t cores_per_output() const;
  /// Output cores of which some but not all cores may have been walked at one time.
  std::int64_t outputs_under_way() const;
  /// The output core that core number `core` belongs to.
  std::int64_t output_of(std::int64_t core) const;
};

/// Innermost runs shorter than this are narrow.
inline constexpr std::int64_t kNarrow = 64;
/// Rows of a column in one leaf of its tree.
inline constexpr std::int64_t kColumnLeaf = 32;

/// `axes`: the reduced axes, normalised and sorted. Every extent is at least 1.
Geometry geometry_of(const Dims& shape, const std::vector<int>& axes);

}  // namespace penstock::run
