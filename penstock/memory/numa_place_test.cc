// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/numa_place.h"

#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace penstock::memory {
namespace {

using Mask = std::vector<std::uint64_t>;

constexpr std::int64_t kCache = 32 << 20;
const std::vector<NumaNode> kNodes{{0, {0, 1}}, {3, {2, 3}}, {65, {4}}};

NumaPolicy policy_of(NumaPlacement placement, std::int64_t bytes, std::int64_t block = 0) {
  return numa_policy(kNodes, placement, bytes, block, kCache);
}

TEST(NumaPlace, InterleavedBlocksTakeAllNodes) {
  const NumaPolicy policy = policy_of(NumaPlacement::kInterleaved, 2 << 20);
  EXPECT_TRUE(policy.interleaves);
  EXPECT_EQ(policy.mask, (Mask{0b1001, 0b10}));
}

TEST(NumaPlace, SeparatedBlocksTakeTurns) {
  for (const std::int64_t block : {0, 1, 2, 3}) {
    const NumaPolicy policy = policy_of(NumaPlacement::kSeparated, 2 << 20, block);
    EXPECT_FALSE(policy.interleaves);
    EXPECT_EQ(policy.mask, (block % 3 == 0 ? Mask{0b1} : block == 1 ? Mask{0b1000} : Mask{0, 0b10})) << block;
  }
}

TEST(NumaPlace, AdaptiveBlocksAreInterleavedBeyondTheCache) {
  EXPECT_TRUE(policy_of(NumaPlacement::kAdaptive, kCache).is_default());
  EXPECT_TRUE(policy_of(NumaPlacement::kAdaptive, kCache + 1).interleaves);
}

TEST(NumaPlace, NothingIsPlacedWhereItIsOffOrThereIsOneNode) {
  EXPECT_TRUE(policy_of(NumaPlacement::kOff, 1 << 30).is_default());
  EXPECT_TRUE(numa_policy({{0, {0}}}, NumaPlacement::kInterleaved, 1 << 30, 0, kCache).is_default());
}

TEST(NumaPlace, TheKernelTakesThePolicy) {
  constexpr std::size_t kBytes = 4 << 20;
  void* data = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(data, MAP_FAILED);
  const NumaPolicy first{true, {1}};
  if (!set_policy(static_cast<std::byte*>(data), kBytes, first)) {
    EXPECT_TRUE(errno == ENOSYS || errno == EPERM || errno == EINVAL) << errno;
    munmap(data, kBytes);
    GTEST_SKIP() << "the system has no memory policies";
  }
  int mode = -1;
  ASSERT_EQ(syscall(SYS_get_mempolicy, &mode, nullptr, 0, data, MPOL_F_ADDR), 0);
  EXPECT_EQ(mode, MPOL_INTERLEAVE);
  EXPECT_TRUE(set_policy(static_cast<std::byte*>(data), kBytes, {}));
  munmap(data, kBytes);
}

}  // namespace
}  // namespace penstock::memory
