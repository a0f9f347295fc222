// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/small_blocks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "penstock/memory/pool.h"

namespace penstock::memory {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

class SmallBlocks : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!kKeeps) GTEST_SKIP() << "each block is freed at once";
    trim_small();
  }
};

TEST_F(SmallBlocks, EachClassKeepsItsOwn) {
  std::set<std::int64_t> capacities;
  for (std::int64_t bytes = 1; small_capacity(bytes) < kSmall; bytes += 37) capacities.insert(small_capacity(bytes));
  EXPECT_EQ(capacities.size(), 64u + 31u);
  for (const std::int64_t capacity : capacities) {
    std::byte* data = take_small(capacity);
    std::memset(data, 1, static_cast<std::size_t>(capacity));
    give_small(data, capacity);
    for (const std::int64_t other : capacities) {
      if (other == capacity) continue;
      std::byte* elsewhere = take_small(other);
      EXPECT_NE(elsewhere, data) << capacity << " as " << other;
      std::memset(elsewhere, 2, static_cast<std::size_t>(other));
      give_small(elsewhere, other);
    }
    EXPECT_EQ(take_small(capacity), data);
    give_small(data, capacity);
    trim_small();
  }
}

TEST_F(SmallBlocks, HitsAndBytesAreCounted) {
  const PoolStats before = small_stats();
  std::byte* data = take_small(128);
  EXPECT_EQ(small_stats().misses, before.misses + 1);
  EXPECT_EQ(small_stats().live_bytes, before.live_bytes + 128);
  give_small(data, 128);
  EXPECT_EQ(small_stats().idle_bytes, 128);
  EXPECT_EQ(take_small(128), data);
  EXPECT_EQ(small_stats().hits, before.hits + 1);
  EXPECT_EQ(small_stats().idle_bytes, 0);
  give_small(data, 128);
  EXPECT_EQ(trim_pool(), 128);
  EXPECT_EQ(small_stats().live_bytes, before.live_bytes);
}

TEST_F(SmallBlocks, AThreadKeepsABoundedNumberOfBytes) {
  std::vector<std::byte*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(take_small(4096));
  for (std::byte* each : blocks) give_small(each, 4096);
  EXPECT_EQ(small_stats().idle_bytes, kMostSmallIdle);
}

TEST_F(SmallBlocks, AnEndedThreadKeepsNothing) {
  const PoolStats before = small_stats();
  std::byte* kept = nullptr;
  std::thread([&] {
    give_small(take_small(64), 64);
    kept = take_small(1024);
  }).join();
  EXPECT_EQ(small_stats().idle_bytes, before.idle_bytes);
  EXPECT_EQ(small_stats().live_bytes, before.live_bytes + 1024);
  EXPECT_EQ(small_stats().misses, before.misses + 2);
  give_small(kept, 1024);  // by another thread than took it
  EXPECT_EQ(small_stats().live_bytes, before.live_bytes);
}

TEST_F(SmallBlocks, OneThreadTrimsWhatOthersUse) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([t] {
      for (int round = 0; round < 2000; ++round) {
        const std::int64_t capacity = small_capacity(1 + (round * 97 + t) % 9000);
        std::byte* data = take_small(capacity);
        std::memset(data, t, static_cast<std::size_t>(capacity));
        EXPECT_EQ(static_cast<int>(data[capacity - 1]), t);
        give_small(data, capacity);
      }
    });
  }
  for (int i = 0; i < 200; ++i) trim_small();
  for (std::thread& each : threads) each.join();
  trim_small();
  EXPECT_EQ(small_stats().idle_bytes, 0);
}

}  // namespace
}  // namespace penstock::memory
