// SPDX-License-Identifier: Apache-2.0
// The machine's facts, as this process may use it: CPUs, caches, memory, cgroup limits.
#pragma once

#include <cstdint>
#include <string>

namespace penstock {

struct Caches {
  std::int64_t l1d = 32 << 10;  // bytes a core
  std::int64_t l2 = 1 << 20;    // bytes a core
  std::int64_t l3 = 32 << 20;   // bytes a machine
};

/// From sysfs; the defaults above where it does not say. Read once.
const Caches& caches();

/// CPUs of the affinity mask, lowered to the cgroup's CPU quota (rounded up), at least 1. Read anew on each call.
int usable_cpus();

std::int64_t page_size();

struct MemoryFacts {
  std::int64_t total = 0;      // the machine's memory, bytes
  std::int64_t available = 0;  // MemAvailable
  std::int64_t cgroup_headroom =
      0;  // smallest limit - (usage - inactive file) over all ancestors; INT64_MAX without a limit
  std::int64_t cgroup_limit = 0;  // smallest limit over all ancestors; INT64_MAX without one
  std::int64_t usable() const { return available < cgroup_headroom ? available : cgroup_headroom; }
};

/// Read anew on each call. `root` replaces "/" so that a test can lay out its own /proc and /sys.
MemoryFacts memory_facts(const std::string& root = "");

/// As usable_cpus(), for the quota only: CPUs the cgroup allows (rounded up); 0 without a quota.
int cgroup_cpus(const std::string& root = "");

/// "Linux 6.1 x86_64, AMD EPYC ..."; for reports.
std::string machine_text();

/// "GenuineIntel", "AuthenticAMD"; empty where /proc/cpuinfo does not say.
const std::string& cpu_vendor();

/// 16 hexadecimal digits of the CPU's model, the number of CPUs and the caches: the same for machines that are alike.
const std::string& machine_id();

const char* version();

}  // namespace penstock
