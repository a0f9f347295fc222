// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/machine.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace penstock {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// A /proc and /sys of its own.
class MachineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "penstock-machine-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    put("proc/meminfo", "MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:    8000 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void put(const std::string& name, const std::string& contents) const {
    const std::filesystem::path path = std::filesystem::path(root_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << contents;
  }

  std::string root_;
};

TEST_F(MachineTest, ReadsMeminfoWithoutACgroup) {
  const MemoryFacts facts = memory_facts(root_);
  EXPECT_EQ(facts.total, 16000 * 1024);
  EXPECT_EQ(facts.available, 8000 * 1024);
  EXPECT_EQ(facts.cgroup_limit, kNoLimit);
  EXPECT_EQ(facts.cgroup_headroom, kNoLimit);
  EXPECT_EQ(facts.usable(), 8000 * 1024);
  EXPECT_EQ(cgroup_cpus(root_), 0);
}

TEST_F(MachineTest, TakesTheTightestV2Ancestor) {
  put("proc/self/cgroup", "0::/a/b/c\n");
  put("sys/fs/cgroup/a/b/c/memory.max", "max\n");
  put("sys/fs/cgroup/a/b/c/memory.current", "100000\n");
  put("sys/fs/cgroup/a/b/memory.max", "4000000\n");
  put("sys/fs/cgroup/a/b/memory.current", "1500000\n");
  put("sys/fs/cgroup/a/b/memory.stat", "anon 1\ninactive_file 500000\n");
  put("sys/fs/cgroup/a/memory.max", "9000000\n");
  put("sys/fs/cgroup/a/memory.current", "7000000\n");
  put("sys/fs/cgroup/a/memory.stat", "inactive_file 0\n");
  const MemoryFacts facts = memory_facts(root_);
  EXPECT_EQ(facts.cgroup_limit, 4000000);
  EXPECT_EQ(facts.cgroup_headroom, 2000000) << "of /a, although its limit is the higher one";
  EXPECT_EQ(facts.usable(), 2000000);
}

TEST_F(MachineTest, ReadsV1Controllers) {
  put("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/x/y\n0::/\n");
  put("sys/fs/cgroup/memory/x/y/memory.limit_in_bytes", "9223372036854771712\n");
  put("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "3000000\n");
  put("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "1000000\n");
  put("sys/fs/cgroup/memory/x/memory.stat", "inactive_file 1\ntotal_inactive_file 250000\n");
  const MemoryFacts facts = memory_facts(root_);
  EXPECT_EQ(facts.cgroup_limit, 3000000);
  EXPECT_EQ(facts.cgroup_headroom, 2250000);
}

TEST_F(MachineTest, FindsAContainersOwnMount) {
  put("proc/self/cgroup", "0::/docker/0123abcd\n");
  put("sys/fs/cgroup/memory.max", "2000000\n");
  put("sys/fs/cgroup/memory.current", "500000\n");
  EXPECT_EQ(memory_facts(root_).cgroup_headroom, 1500000);
}

TEST_F(MachineTest, UsageOverTheLimitLeavesNothing) {
  put("proc/self/cgroup", "0::/\n");
  put("sys/fs/cgroup/memory.max", "1000\n");
  put("sys/fs/cgroup/memory.current", "5000\n");
  EXPECT_EQ(memory_facts(root_).cgroup_headroom, 0);
}

TEST_F(MachineTest, RoundsTheCpuQuotaUp) {
  put("proc/self/cgroup", "0::/a\n");
  put("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 2);
  put("sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 2);
  put("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 1);
  put("sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 0);
  put("sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 3) << "an ancestor's quota counts";
}

TEST_F(MachineTest, ReadsTheV1CpuQuota) {
  put("proc/self/cgroup", "5:cpu,cpuacct:/x\n");
  put("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
  put("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 0);
  put("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(cgroup_cpus(root_), 3);
}

TEST(Machine, FollowsTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_LE(usable_cpus(), CPU_COUNT(&before));
  EXPECT_GE(usable_cpus(), 1);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
    if (CPU_ISSET(i, &before)) CPU_SET(i, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_cpus(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(Machine, FactsOfThisMachineArePlausible) {
  const MemoryFacts facts = memory_facts();
  EXPECT_GT(facts.total, 64 << 20);
  EXPECT_GT(facts.available, 0);
  EXPECT_LE(facts.available, facts.total);
  EXPECT_LE(facts.usable(), facts.available);
  EXPECT_EQ(page_size(), sysconf(_SC_PAGESIZE));
  EXPECT_GE(caches().l1d, 8 << 10);
  EXPECT_GE(caches().l2, caches().l1d);
  EXPECT_NE(machine_text().find("Linux"), std::string::npos);
  EXPECT_NE(std::string(version()).find('.'), std::string::npos);
}

}  // namespace
}  // namespace penstock
