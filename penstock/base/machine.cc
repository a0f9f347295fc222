// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/text.h"

namespace penstock {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// A cgroup file's number; kNoLimit for "max", for a missing file and for v1's "no limit" numbers.
std::int64_t limit_in(const std::string& path) {
  std::istringstream in(first_line(path));
  std::int64_t value = 0;
  if (!(in >> value) || value >= (std::int64_t{1} << 60)) return kNoLimit;
  return value;
}

/// The number behind `key` in a "key value" file such as memory.stat or /proc/meminfo; 0 when absent.
std::int64_t keyed(const std::string& path, const std::string& key) {
  std::ifstream in(path);
  std::string word;
  while (in >> word) {
    std::int64_t value = 0;
    if (word == key && (in >> value)) return value;
    in.ignore(1 << 16, '\n');
  }
  return 0;
}

/// The process's folder in the hierarchy of `controller` ("" is v2) and each of its ancestors, innermost first.
std::vector<std::string> cgroup_folders(const std::string& root, const std::string& controller) {
  std::ifstream in(root + "/proc/self/cgroup");
  std::string line;
  while (std::getline(in, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controller.empty() ? names != ",," : names.find("," + controller + ",") == std::string::npos) continue;
    const std::string base = root + "/sys/fs/cgroup" + (controller.empty() ? "" : "/" + controller);
    std::vector<std::string> folders;
    for (std::string path = line.substr(second + 1); !path.empty() && path != "/";
         path = path.substr(0, path.rfind('/'))) {
      folders.push_back(base + path);
    }
    folders.push_back(base);  // in a container the hierarchy is often mounted at the process's own folder
    return folders;
  }
  return {};
}

struct MemoryFiles {
  const char* controller;
  const char* limit;
  const char* usage;
  const char* inactive;
};

constexpr MemoryFiles kMemoryFiles[] = {
    {"", "memory.max", "memory.current", "inactive_file"},
    {"memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"},
};

/// What /proc/cpuinfo says of its first CPU; empty when it does not.
std::string cpuinfo(const std::string& key) {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind(key, 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

std::int64_t cache_size(const std::string& index) {
  const std::string text = first_line("/sys/devices/system/cpu/cpu0/cache/" + index + "/size");
  return text.empty() ? 0 : parse_bytes(text, 0);
}

}  // namespace

const Caches& caches() {
  static const Caches found = [] {
    Caches c;
    for (int i = 0; i < 8; ++i) {
      const std::string index = cat("index", i);
      const std::string level = first_line(cat("/sys/devices/system/cpu/cpu0/cache/", index, "/level"));
      const std::string type = first_line(cat("/sys/devices/system/cpu/cpu0/cache/", index, "/type"));
      const std::int64_t size = cache_size(index);
      if (size <= 0 || type == "Instruction") continue;
      if (level == "1") c.l1d = size;
      if (level == "2") c.l2 = size;
      if (level == "3") c.l3 = size;
    }
    return c;
  }();
  return found;
}

int cgroup_cpus(const std::string& root) {
  double least = 0;
  const auto take = [&](double quota, double period) {
    if (quota > 0 && period > 0) least = least == 0 ? quota / period : std::min(least, quota / period);
  };
  for (const std::string& folder : cgroup_folders(root, "")) {
    std::istringstream in(first_line(folder + "/cpu.max"));
    double quota = 0;
    double period = 0;
    if (in >> quota >> period) take(quota, period);
  }
  for (const std::string& folder : cgroup_folders(root, "cpu")) {
    const std::int64_t quota = limit_in(folder + "/cpu.cfs_quota_us");
    if (quota != kNoLimit)
      take(static_cast<double>(quota), static_cast<double>(limit_in(folder + "/cpu.cfs_period_us")));
  }
  const int whole = static_cast<int>(least);
  return least > whole ? whole + 1 : whole;
}

int usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cpus = 1;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cpus = std::max(1, CPU_COUNT(&set));
  const int quota = cgroup_cpus();
  return quota > 0 ? std::min(cpus, quota) : cpus;
}

std::int64_t page_size() {
  static const std::int64_t size = sysconf(_SC_PAGESIZE);
  return size;
}

MemoryFacts memory_facts(const std::string& root) {
  MemoryFacts facts;
  facts.total = keyed(root + "/proc/meminfo", "MemTotal:") * 1024;
  facts.available = keyed(root + "/proc/meminfo", "MemAvailable:") * 1024;
  facts.cgroup_headroom = kNoLimit;
  facts.cgroup_limit = kNoLimit;
  for (const MemoryFiles& files : kMemoryFiles) {
    for (const std::string& folder : cgroup_folders(root, files.controller)) {
      const std::int64_t limit = limit_in(folder + "/" + files.limit);
      if (limit == kNoLimit) continue;
      const std::int64_t usage = limit_in(folder + "/" + files.usage);
      const std::int64_t inactive = keyed(folder + "/memory.stat", files.inactive);
      const std::int64_t used = usage == kNoLimit ? 0 : std::max<std::int64_t>(0, usage - inactive);
      facts.cgroup_limit = std::min(facts.cgroup_limit, limit);
      facts.cgroup_headroom = std::min(facts.cgroup_headroom, std::max<std::int64_t>(0, limit - used));
    }
  }
  return facts;
}

const std::string& cpu_vendor() {
  static const std::string vendor = cpuinfo("vendor_id");
  return vendor;
}

const std::string& machine_id() {
  static const std::string id = [] {
    const Caches& c = caches();
    const std::string facts =
        cat(cpuinfo("model name"), "|", sysconf(_SC_NPROCESSORS_CONF), "|", c.l1d, "|", c.l2, "|", c.l3);
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, 64 bits
    for (const char byte : facts) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    std::ostringstream out;
    out << std::hex << std::setw(16) << std::setfill('0') << hash;
    return out.str();
  }();
  return id;
}

std::string machine_text() {
  utsname os{};
  uname(&os);
  const std::string model = cpuinfo("model name");
  return cat(os.sysname, " ", os.release, " ", os.machine, ", ", model.empty() ? "unknown CPU" : model);
}

const char* version() { return PENSTOCK_VERSION; }

}  // namespace penstock
