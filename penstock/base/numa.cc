// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/numa.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/text.h"

namespace penstock {
namespace {

constexpr const char* kNames[] = {"off", "interleaved", "separated", "adaptive"};

/// The numbers of a list such as "0-3,8"; none where the file is missing.
std::vector<int> numbers_in(const std::string& path) {
  std::ifstream in(path);
  std::vector<int> numbers;
  for (std::string range; std::getline(in, range, ',');) {
    std::istringstream text(range);
    int first = 0;
    if (!(text >> first)) continue;
    int last = first;
    if (text.peek() == '-') text.ignore() >> last;
    for (int each = first; each <= last; ++each) numbers.push_back(each);
  }
  return numbers;
}

bool contains(const std::vector<int>& cpus, int cpu) { return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end(); }

}  // namespace

std::vector<int> usable_cpu_numbers() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<NumaNode> numa_nodes(const std::vector<int>& usable, const std::string& root) {
  const std::string folder = root + "/sys/devices/system/node/";
  std::vector<NumaNode> nodes;
  for (const int id : numbers_in(folder + "has_memory")) {
    NumaNode node{id, numbers_in(cat(folder, "node", id, "/cpulist"))};
    std::erase_if(node.cpus, [&](int cpu) { return !contains(usable, cpu); });
    if (!node.cpus.empty()) nodes.push_back(std::move(node));
  }
  return nodes;
}

const std::vector<NumaNode>& numa_nodes() {
  static const std::vector<NumaNode> nodes = numa_nodes(usable_cpu_numbers());
  return nodes;
}

NumaPlacement numa_placement() {
  static const NumaPlacement set = env_value(Env::kNUMA, numa_placement_from_name).value_or(NumaPlacement::kAdaptive);
  return numa_nodes().size() < 2 ? NumaPlacement::kOff : set;
}

NumaPlacement numa_placement_from_name(const std::string& name) {
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames))
    throw ArgumentError(cat("'", name, "' is no placement; use off, interleaved, separated or adaptive"));
  return static_cast<NumaPlacement>(found - std::begin(kNames));
}

const char* numa_placement_name(NumaPlacement placement) { return kNames[static_cast<int>(placement)]; }

std::vector<int> cpus_of_worker(const std::vector<NumaNode>& nodes, const std::vector<int>& usable,
                                NumaPlacement placement, int worker) {
  if (placement == NumaPlacement::kOff || nodes.size() < 2 || usable.empty()) return {};
  const int own = usable[static_cast<std::size_t>(worker) % usable.size()];
  const auto home =
      std::find_if(nodes.begin(), nodes.end(), [&](const auto& node) { return contains(node.cpus, own); });
  if (home == nodes.end()) return {};
  std::vector<int> cpus = home->cpus;
  std::erase_if(cpus, [&](int cpu) { return !contains(usable, cpu); });
  return cpus;
}

}  // namespace penstock
