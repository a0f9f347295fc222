// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/measure/counters.h"
#include "penstock/memory/governor.h"
#include "penstock/memory/pool.h"

namespace penstock::memory {
namespace {

std::int64_t used() { return Governor::instance().used(); }

TEST(Arena, BytesAreAlignedApartAndTheScopes) {
  const std::int64_t before = used();
  {
    const Arena::Scope scope(1000);
    EXPECT_EQ(used() - before, Arena::capacity_for(1000));
    std::vector<std::byte*> taken;
    for (std::size_t i = 1; i < 200; ++i) {
      auto* bytes = static_cast<std::byte*>(Arena::local().allocate(i * 7, 64));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes) % 64, 0u);
      std::memset(bytes, static_cast<int>(i), i * 7);
      taken.push_back(bytes);
    }
    for (std::size_t i = 1; i < 200; ++i) {
      EXPECT_EQ(static_cast<std::size_t>(taken[i - 1][0]), i);
      EXPECT_EQ(static_cast<std::size_t>(taken[i - 1][i * 7 - 1]), i);
    }
  }
  EXPECT_EQ(used(), before);
}

TEST(Arena, WhatIsExpectedFindsRoomInOneBlock) {
  const std::int64_t before = measure::value(measure::Counter::k_arena_blocks);
  const std::int64_t grown = measure::value(measure::Counter::k_arena_growths);
  for (int round = 0; round < 3; ++round) {
    const Arena::Scope scope(100'000);
    std::pmr::vector<double> x(6'000, 1.0, &Arena::local());
    std::pmr::vector<double> y(6'000, 2.0, &Arena::local());
    EXPECT_EQ(x[5'999] + y[0], 3.0);
  }
  EXPECT_EQ(measure::value(measure::Counter::k_arena_blocks), before + 3);
  EXPECT_EQ(measure::value(measure::Counter::k_arena_growths), grown);
}

TEST(Arena, AnInnerScopeGivesBackItsOwn) {
  const Arena::Scope outer(64);
  void* first = Arena::local().allocate(64, 64);
  void* again = nullptr;
  for (int round = 0; round < 3; ++round) {
    const Arena::Scope inner(2'000'000);  // more than the outer one's block has
    void* there = Arena::local().allocate(2'000'000, 64);
    if (round > 0) {
      EXPECT_EQ(there, again);  // the pool's block of before
    }
    again = there;
  }
  void* second = Arena::local().allocate(64, 64);
  EXPECT_EQ(static_cast<std::byte*>(second), static_cast<std::byte*>(first) + 64);
}

TEST(Arena, EachThreadHasItsOwn) {
  const Arena::Scope scope;
  void* here = Arena::local().allocate(64, 64);
  std::thread([&] {
    const Arena::Scope there;
    EXPECT_NE(Arena::local().allocate(64, 64), here);
  }).join();
}

TEST(Arena, OutsideEveryScopeThereIsNothing) { EXPECT_THROW((void)Arena::local().allocate(64, 64), InternalError); }

TEST(Arena, TheBudgetHolds) {
  Governor::instance().set_budget(used() + (1 << 20));
  EXPECT_THROW(Arena::Scope(2 << 20), BudgetError);
  {
    const Arena::Scope scope;
    EXPECT_THROW((void)Arena::local().allocate(2 << 20, 64), BudgetError);
    EXPECT_NE(Arena::local().allocate(64, 64), nullptr);
  }
  Governor::instance().set_budget(0);
}

}  // namespace
}  // namespace penstock::memory
