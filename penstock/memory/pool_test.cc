// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "penstock/base/level.h"
#include "penstock/memory/buffer.h"

namespace penstock::memory {
namespace {

class Pool : public ::testing::Test {
 protected:
  void SetUp() override { trim_pool(); }
  void TearDown() override {
    set_level(Level::kFull);
    trim_pool();
  }
};

std::vector<std::int64_t> sizes() {
  std::vector<std::int64_t> all{0, 1, 63, 64, 65, 4095, 4096, 4097};
  for (int bits = 14; bits < 40; ++bits) {
    const std::int64_t power = std::int64_t{1} << bits;
    for (const std::int64_t off : {-1, 0, 1}) all.push_back(power + off);
    all.push_back(power / 8 * 9 + 1);
    all.push_back(power / 16 * 31);
  }
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) all.push_back(static_cast<std::int64_t>(random() >> (24 + random() % 30)));
  return all;
}

TEST_F(Pool, CapacitiesHoldTheRequestAndWasteAnEighthAtMost) {
  for (const std::int64_t bytes : sizes()) {
    const std::int64_t capacity = pool_capacity(bytes);
    EXPECT_GE(capacity, bytes);
    EXPECT_EQ(capacity % 64, 0) << bytes;
    EXPECT_EQ(pool_capacity(capacity), capacity) << bytes;  // a block fits its own class
    if (bytes < 4 << 10) {
      EXPECT_LE(capacity - bytes, 64) << bytes;
    } else if (bytes < 2 << 20 || bytes >= 16 << 20) {
      EXPECT_LE(capacity - bytes, bytes / 8) << bytes;
    } else {
      EXPECT_LE(capacity - bytes, 2 << 20) << bytes;  // whole huge pages
    }
  }
}

TEST_F(Pool, CapacitiesGrowWithTheRequest) {
  std::vector<std::int64_t> all = sizes();
  std::sort(all.begin(), all.end());
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LE(pool_capacity(all[i - 1]), pool_capacity(all[i]));
}

TEST_F(Pool, AKeptBlockIsTakenAgain) {
  const Block first = pool_take(100'000);
  EXPECT_EQ(first.capacity, pool_capacity(100'000));
  pool_give(first);
  EXPECT_EQ(pool_idle_bytes(), first.capacity);
  const PoolStats before = pool_stats();
  const Block second = pool_take(99'999);
  EXPECT_EQ(second.data, first.data);
  EXPECT_EQ(pool_stats().hits, before.hits + 1);
  EXPECT_EQ(pool_idle_bytes(), 0);
  pool_give(second);
}

TEST_F(Pool, ATrimmedPoolKeepsNoMoreThanAsked) {
  std::vector<Block> blocks;
  std::int64_t held = 0;
  for (const std::int64_t bytes : {100'000, 200'000, 300'000, 5'000'000, 100'000}) {
    blocks.push_back(pool_take(bytes));
    held += blocks.back().capacity;
  }
  for (const Block& block : blocks) pool_give(block);
  ASSERT_EQ(pool_idle_bytes(), held);
  for (const std::int64_t limit : {std::int64_t{1'000'000}, std::int64_t{200'000}, std::int64_t{0}}) {
    const std::int64_t before = pool_idle_bytes();
    const std::int64_t freed = trim_pool_to(limit);
    EXPECT_LE(pool_idle_bytes(), limit);
    EXPECT_EQ(before - pool_idle_bytes(), freed);
  }
  EXPECT_EQ(trim_pool(), 0);
}

TEST_F(Pool, WithoutMemoryOptimisationNothingIsKept) {
  set_level(Level::kNone);
  const Block block = pool_take(1 << 20);
  std::memset(block.data, 1, 1 << 20);
  pool_give(block);
  EXPECT_EQ(pool_idle_bytes(), 0);
}

TEST_F(Pool, ABlockTakenAtOneLevelIsGivenAtAnother) {
  const Block block = pool_take(3 << 20);
  set_level(Level::kParallel);
  pool_give(block);
  EXPECT_EQ(pool_idle_bytes(), 0);
  const Block other = pool_take(3 << 20);
  set_level(Level::kFull);
  pool_give(other);
  EXPECT_EQ(pool_idle_bytes(), other.capacity);
}

TEST_F(Pool, ThreadsNeverShareABlock) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int round = 0; round < 300; ++round) {
        const std::int64_t bytes = (64 << 10) + static_cast<std::int64_t>(random() % 4) * 50'000;
        const Block block = pool_take(bytes);
        std::memset(block.data, t, static_cast<std::size_t>(bytes));
        std::this_thread::yield();
        EXPECT_EQ(static_cast<int>(block.data[0]), t);
        EXPECT_EQ(static_cast<int>(block.data[bytes - 1]), t);
        pool_give(block);
        if (round % 50 == 0) trim_pool_to(100'000);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(Pool, AForkedChildTakesAndGives) {
  pool_give(pool_take(1 << 20));
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    const Block block = pool_take(1 << 20);
    std::memset(block.data, 7, 1 << 20);
    pool_give(block);
    trim_pool();
    _exit(pool_idle_bytes() == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace penstock::memory
