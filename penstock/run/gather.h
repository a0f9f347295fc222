// SPDX-License-Identifier: Apache-2.0
// Elements chosen by indices, and put where indices say, as operators over (outer, n, inner). Their makers' callers
// have checked the indices.
#pragma once

#include <memory>
#include <vector>

#include "penstock/run/lines.h"

namespace penstock::run {

/// What the caller knows of indices: all lie in [least, greatest].
struct IndexRange {
  std::int64_t least = 0;
  std::int64_t greatest = -1;
};

/// Indices of one row whose range may be known for itself.
inline constexpr std::int64_t kRangeBlock = 64 << 10;

/// Inputs: elements (outer, n, inner) of `size` bytes each, and int64 indices (1 or outer, k). Gives (outer, k, inner):
/// element [o, j, i] is [o, index[o, j], i]. `blocks`: for one row of indices the range of each kRangeBlock of them, so
/// that of elements that memory has no room for only those near the indices at hand are read; or nothing.
std::shared_ptr<const graph::Operator> make_gather(std::int64_t size, const Lines& lines, std::int64_t index_rows,
                                                   std::int64_t k, const IndexRange& range,
                                                   std::vector<IndexRange> blocks = {});

/// Inputs: elements (outer, n, inner), int64 indices (1 or outer, k), values (outer, k, inner). Gives the elements with
/// [o, index[o, j], i] = values[o, j, i], in order of j: the last of equal indices stays.
std::shared_ptr<const graph::Operator> make_scatter(std::int64_t size, const Lines& lines, std::int64_t index_rows,
                                                    std::int64_t k);

}  // namespace penstock::run
