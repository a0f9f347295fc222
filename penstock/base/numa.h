// SPDX-License-Identifier: Apache-2.0
// NUMA nodes: groups of CPUs with memory of their own, which is nearer to them than the others'. Machines with one
// socket have one, and then nothing here changes anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock {

struct NumaNode {
  int id = 0;
  std::vector<int> cpus;
};

/// The CPUs that the calling thread, and so a thread that it starts, may run on; none where the system does not say.
std::vector<int> usable_cpu_numbers();

/// Nodes with memory and with CPUs among `usable`, by id. None where the system does not say. `root` replaces "/" so
/// that a test can lay out its own /sys.
std::vector<NumaNode> numa_nodes(const std::vector<int>& usable, const std::string& root = "");

/// Those of this process's CPUs when it first asked. Read once.
const std::vector<NumaNode>& numa_nodes();

/// What large blocks of memory and worker threads do where there are several nodes.
enum class NumaPlacement : std::uint8_t {
  kOff,          // memory lies where it is first touched, threads run where the system puts them
  kInterleaved,  // a block's pages take turns between the nodes
  kSeparated,    // blocks take turns between the nodes, each whole
  kAdaptive,     // interleaved where a block exceeds the last cache, so that all threads' nodes serve it; else off
};

/// PENSTOCK_NUMA, by default adaptive; off with fewer than two nodes. Read once. Throws ArgumentError naming the four.
NumaPlacement numa_placement();
NumaPlacement numa_placement_from_name(const std::string& name);
const char* numa_placement_name(NumaPlacement placement);

/// CPUs among `usable` that worker `worker` keeps to: those on the node of the usable CPU of its number, counted round,
/// so that nodes get workers as they have usable CPUs. Empty for any: a CPU without near memory is no reason to move.
std::vector<int> cpus_of_worker(const std::vector<NumaNode>& nodes, const std::vector<int>& usable,
                                NumaPlacement placement, int worker);

}  // namespace penstock
