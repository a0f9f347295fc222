// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "penstock/memory/governor.h"
#include "penstock/memory/pool.h"

namespace penstock::memory {
namespace {

std::uintptr_t address(const Buffer& buffer) { return reinterpret_cast<std::uintptr_t>(buffer.data()); }

TEST(Buffer, AlignmentGrowsWithTheSize) {
  for (const std::int64_t bytes : {0, 1, 100, 65'535})
    EXPECT_EQ(address(Buffer::allocate(bytes, "a test")) % 64, 0u) << bytes;
  for (const std::int64_t bytes : {65'536, 100'000, 2'000'000}) {
    EXPECT_EQ(address(Buffer::allocate(bytes, "a test")) % 4096, 0u) << bytes;
  }
  for (const std::int64_t bytes : {2 << 20, 5'000'000}) {
    EXPECT_EQ(address(Buffer::allocate(bytes, "a test")) % (2 << 20), 0u) << bytes;
  }
}

TEST(Buffer, AllOfItCanBeWritten) {
  for (const std::int64_t bytes : {1, 63, 64, 65, 4097, 65'537, 300'001, (2 << 20) + 1}) {
    const Buffer buffer = Buffer::allocate(bytes, "a test");
    EXPECT_EQ(buffer.size(), bytes);
    std::memset(buffer.data(), 0x5a, static_cast<std::size_t>(bytes));
    EXPECT_EQ(static_cast<int>(buffer.data()[bytes - 1]), 0x5a);
  }
}

TEST(Buffer, TheGovernorCountsItOnce) {
  Governor& governor = Governor::instance();
  const std::int64_t before = governor.used();
  {
    Buffer a = Buffer::allocate(100'000, "a test");
    EXPECT_EQ(governor.used() - before, pool_capacity(100'000));
    Buffer b = std::move(a);
    EXPECT_FALSE(a);  // NOLINT: the state after a move is part of the contract
    EXPECT_EQ(b.size(), 100'000);
    a = Buffer::allocate(1, "a test");
    b = std::move(a);
    a = {};
    EXPECT_TRUE(b);
  }
  EXPECT_EQ(governor.used(), before);
}

TEST(Buffer, SharedMemoryIsOwned) {
  const std::int64_t before = Governor::instance().used();
  {
    const std::shared_ptr<Memory> memory = share(Buffer::allocate(1000, "a test"));
    EXPECT_GT(memory->owned_bytes(), 0);
    std::memset(memory->data(), 1, 1000);
  }
  EXPECT_EQ(Governor::instance().used(), before);
}

}  // namespace
}  // namespace penstock::memory
