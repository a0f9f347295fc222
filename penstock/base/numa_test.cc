// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/numa.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "penstock/base/expect_error.h"
#include "penstock/base/temporary_directory.h"

namespace penstock {
namespace {

using Cpus = std::vector<int>;

/// A machine with memory on nodes 0, 2 and 3, of which 3 has no CPU, and CPUs without memory on node 1.
class Numa : public ::testing::Test {
 protected:
  Numa() {
    const std::string nodes = root_.path() + "/sys/devices/system/node/";
    const char* cpus[] = {"0-1,4\n", "6\n", "2-3,5\n", "\n"};
    for (int id = 0; id < 4; ++id) {
      std::filesystem::create_directories(nodes + "node" + std::to_string(id));
      std::ofstream(nodes + "node" + std::to_string(id) + "/cpulist") << cpus[id];
    }
    std::ofstream(nodes + "has_memory") << "0,2-3\n";
  }

  std::vector<NumaNode> nodes(const Cpus& usable) const { return numa_nodes(usable, root_.path()); }

 private:
  TemporaryDirectory root_;
};

TEST_F(Numa, NodesHaveMemoryAndUsableCpus) {
  const std::vector<NumaNode> all = nodes({0, 1, 2, 3, 4, 5, 6});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, 0);
  EXPECT_EQ(all[0].cpus, (Cpus{0, 1, 4}));
  EXPECT_EQ(all[1].id, 2);
  EXPECT_EQ(all[1].cpus, (Cpus{2, 3, 5}));
  const std::vector<NumaNode> some = nodes({2, 5, 6});
  ASSERT_EQ(some.size(), 1U);
  EXPECT_EQ(some[0].cpus, (Cpus{2, 5}));
  EXPECT_TRUE(numa_nodes({0}, "/nowhere").empty());
}

TEST_F(Numa, NodesGetWorkersAsTheyHaveUsableCpus) {
  const Cpus usable{0, 2, 3, 5};
  const std::vector<NumaNode> two = nodes(usable);
  for (const NumaPlacement placement :
       {NumaPlacement::kInterleaved, NumaPlacement::kSeparated, NumaPlacement::kAdaptive}) {
    EXPECT_EQ(cpus_of_worker(two, usable, placement, 0), (Cpus{0}));
    for (const int worker : {1, 2, 3}) EXPECT_EQ(cpus_of_worker(two, usable, placement, worker), (Cpus{2, 3, 5}));
    EXPECT_EQ(cpus_of_worker(two, usable, placement, 4), (Cpus{0}));
  }
  EXPECT_TRUE(cpus_of_worker(two, usable, NumaPlacement::kOff, 1).empty());
  EXPECT_TRUE(cpus_of_worker(two, {}, NumaPlacement::kInterleaved, 1).empty());
  EXPECT_TRUE(cpus_of_worker(nodes({0, 1}), {0, 1}, NumaPlacement::kInterleaved, 1).empty());
}

TEST_F(Numa, WorkersOfCpusWithoutMemoryGoAnywhere) {
  const Cpus usable{0, 1, 2, 3, 4, 5, 6};
  const std::vector<NumaNode> two = nodes(usable);
  EXPECT_EQ(cpus_of_worker(two, usable, NumaPlacement::kAdaptive, 5), (Cpus{2, 3, 5}));
  EXPECT_TRUE(cpus_of_worker(two, usable, NumaPlacement::kAdaptive, 6).empty());
}

TEST_F(Numa, WorkersStayWithinTheCpusOfTheThreadThatStartsThem) {
  const std::vector<NumaNode> two = nodes({0, 1, 2, 3, 4, 5});
  EXPECT_EQ(cpus_of_worker(two, {1, 4}, NumaPlacement::kAdaptive, 1), (Cpus{1, 4}));
  EXPECT_TRUE(cpus_of_worker(two, {6}, NumaPlacement::kAdaptive, 1).empty());
}

TEST_F(Numa, PlacementsHaveNames) {
  for (const char* name : {"off", "interleaved", "separated", "adaptive"})
    EXPECT_STREQ(numa_placement_name(numa_placement_from_name(name)), name);
  EXPECT_ERROR(ArgumentError, "interleaved", numa_placement_from_name("near"));
}

}  // namespace
}  // namespace penstock
