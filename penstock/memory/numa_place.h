// SPDX-License-Identifier: Apache-2.0
// Which NUMA nodes a fresh block of memory is taken from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "penstock/base/numa.h"

namespace penstock::memory {

/// The kernel's memory policy for a block: mbind(2). Without nodes, the default one: where it is first touched.
struct NumaPolicy {
  bool interleaves = false;         // page by page; else the first node, and others when it is full
  std::vector<std::uint64_t> mask;  // bit i: node i

  bool is_default() const { return mask.empty(); }
};

/// For block number `block` of `bytes`, on a machine whose last cache has `cache` bytes.
NumaPolicy numa_policy(const std::vector<NumaNode>& nodes, NumaPlacement placement, std::int64_t bytes,
                       std::int64_t block, std::int64_t cache);

/// Gives the pages from `data` on, none of which is touched yet, their policy; false where the system refuses.
bool set_policy(std::byte* data, std::int64_t bytes, const NumaPolicy& policy);

/// Places a fresh block of the pool as numa_placement() says, and counts it. Costs nothing with fewer than two nodes;
/// where the system refuses the block stays as it is.
void place_on_nodes(std::byte* data, std::int64_t bytes);

}  // namespace penstock::memory
