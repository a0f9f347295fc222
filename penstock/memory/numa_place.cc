// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/numa_place.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "penstock/base/machine.h"
#include "penstock/measure/counters.h"

namespace penstock::memory {
namespace {

void add_node(NumaPolicy& policy, int id) {
  const auto word = static_cast<std::size_t>(id) / 64;
  if (policy.mask.size() <= word) policy.mask.resize(word + 1);
  policy.mask[word] |= std::uint64_t{1} << (id % 64);
}

}  // namespace

NumaPolicy numa_policy(const std::vector<NumaNode>& nodes, NumaPlacement placement, std::int64_t bytes,
                       std::int64_t block, std::int64_t cache) {
  NumaPolicy policy;
  const bool small = placement == NumaPlacement::kAdaptive && bytes <= cache;
  if (nodes.size() < 2 || placement == NumaPlacement::kOff || small) return policy;
  policy.interleaves = placement != NumaPlacement::kSeparated;
  if (!policy.interleaves) {
    add_node(policy, nodes[static_cast<std::size_t>(block) % nodes.size()].id);
    return policy;
  }
  for (const NumaNode& node : nodes) add_node(policy, node.id);
  return policy;
}

bool set_policy(std::byte* data, std::int64_t bytes, const NumaPolicy& policy) {
  static_assert(sizeof(unsigned long) == sizeof(std::uint64_t), "the kernel's mask is made of unsigned long");
  const int mode = policy.is_default() ? MPOL_DEFAULT : policy.interleaves ? MPOL_INTERLEAVE : MPOL_PREFERRED;
  // The kernel reads one bit less than it is told.
  const unsigned long bits = policy.is_default() ? 0 : policy.mask.size() * 64 + 1;
  return syscall(SYS_mbind, data, bytes, mode, policy.is_default() ? nullptr : policy.mask.data(), bits, 0) == 0;
}

void place_on_nodes(std::byte* data, std::int64_t bytes) {
  const NumaPlacement placement = numa_placement();
  if (placement == NumaPlacement::kOff) return;
  static std::atomic<std::int64_t> blocks{0};
  const NumaPolicy policy = numa_policy(numa_nodes(), placement, bytes, blocks.fetch_add(1), caches().l3);
  if (!policy.is_default() && set_policy(data, bytes, policy)) measure::add(measure::Counter::k_numa_blocks, 1);
}

}  // namespace penstock::memory
