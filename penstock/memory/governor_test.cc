// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/governor.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/machine.h"
#include "penstock/memory/buffer.h"
#include "penstock/memory/pool.h"

namespace penstock::memory {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

class GovernorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    trim_pool();
    ASSERT_EQ(governor_.used(), 0);
  }
  void TearDown() override {
    governor_.set_budget(0);
    trim_pool();
  }
  Governor& governor_ = Governor::instance();
};

TEST_F(GovernorTest, ReservesUpToTheBudgetAndNoFurther) {
  governor_.set_budget(1000);
  EXPECT_TRUE(governor_.try_reserve(600));
  EXPECT_FALSE(governor_.try_reserve(401));
  EXPECT_EQ(governor_.available(), 400);
  EXPECT_TRUE(governor_.try_reserve(400));
  EXPECT_EQ(governor_.available(), 0);
  EXPECT_FALSE(governor_.try_reserve(1));
  EXPECT_TRUE(governor_.try_reserve(0));
  governor_.release(1000);
  EXPECT_EQ(governor_.used(), 0);
}

TEST_F(GovernorTest, TheErrorHasTheFiguresAndTheWayOut) {
  governor_.set_budget(10 * kMiB);
  governor_.reserve(3 * kMiB, "a test");
  try {
    governor_.reserve(8 * kMiB, "the result");
    ADD_FAILURE() << "no error";
  } catch (const BudgetError& error) {
    const std::string text = error.what();
    for (const char* part :
         {"the result needs 8 MiB", "7 MiB of the memory budget of 10 MiB is free", "ps.save", "PENSTOCK_MEMORY"}) {
      EXPECT_NE(text.find(part), std::string::npos) << text;
    }
  }
  EXPECT_EQ(governor_.used(), 3 * kMiB);
  governor_.release(3 * kMiB);
}

TEST_F(GovernorTest, RefusesANegativeBudget) { EXPECT_THROW(governor_.set_budget(-1), ArgumentError); }

TEST_F(GovernorTest, IdleBlocksYield) {
  governor_.set_budget(10 * kMiB);
  { const Buffer gone = Buffer::allocate(8 * kMiB, "a test"); }
  EXPECT_EQ(pool_idle_bytes(), 8 * kMiB);
  EXPECT_EQ(governor_.available(), 10 * kMiB);
  const Buffer other = Buffer::allocate(6 * kMiB, "a test");
  EXPECT_LE(pool_idle_bytes() + governor_.used(), 10 * kMiB);
}

TEST_F(GovernorTest, AnIdleBlockServesAgainWhereTwoHaveNoRoom) {
  governor_.set_budget(10 * kMiB);
  { const Buffer gone = Buffer::allocate(6 * kMiB, "a test"); }
  const std::int64_t hits = pool_stats().hits;
  const Buffer next = Buffer::allocate(6 * kMiB, "a test");
  EXPECT_EQ(pool_stats().hits, hits + 1);
}

TEST_F(GovernorTest, ALowerBudgetTrimsAtOnce) {
  governor_.set_budget(64 * kMiB);
  { const Buffer gone = Buffer::allocate(32 * kMiB, "a test"); }
  ASSERT_EQ(pool_idle_bytes(), 32 * kMiB);
  governor_.set_budget(8 * kMiB);
  EXPECT_LE(pool_idle_bytes(), 8 * kMiB);
}

TEST_F(GovernorTest, WhatIsLiveAboveALowerBudgetIsNotKeptLater) {
  governor_.set_budget(64 * kMiB);
  {
    const Buffer live = Buffer::allocate(32 * kMiB, "a test");
    governor_.set_budget(8 * kMiB);
    EXPECT_EQ(governor_.available(), 0);
  }
  EXPECT_LE(pool_idle_bytes() + governor_.used(), 8 * kMiB);
}

TEST_F(GovernorTest, LiveAndIdleStayWithinTheBudgetWhateverThreadsDo) {
  constexpr std::int64_t kBudget = 24 * kMiB;
  governor_.set_budget(kBudget);
  std::atomic<bool> over{false};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      std::vector<Buffer> held;
      for (int round = 0; round < 2000; ++round) {
        if (!held.empty() && random() % 3 == 0)
          held.erase(held.begin() + static_cast<std::ptrdiff_t>(random() % held.size()));
        try {
          held.push_back(Buffer::allocate(static_cast<std::int64_t>(random() % (4 * kMiB)), "a test"));
        } catch (const BudgetError&) {
          ++refused;
          held.clear();
        }
        if (governor_.used() > kBudget || governor_.used() < 0) over = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(over);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(governor_.used(), 0);
  EXPECT_LE(pool_idle_bytes(), kBudget);
}

TEST_F(GovernorTest, ByDefaultFourFifthsOfWhatIsLeft) {
  const MemoryFacts facts = memory_facts();
  const auto left = static_cast<double>(facts.usable());
  const auto budget = static_cast<double>(governor_.budget());
  // Other processes take and give memory meanwhile.
  EXPECT_GT(budget, 0.5 * left);
  EXPECT_LT(budget, 1.0 * left);
}

/// Runs `check` in a child that has the variable set before its governor first looks.
void in_child(const char* memory, bool (*check)()) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    setenv("PENSTOCK_MEMORY", memory, 1);
    usleep(1'100'000);  // the default is read anew after a second
    _exit(check() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << memory;
}

TEST_F(GovernorTest, TheFirstReservationsOfTwoThreadsFindTheBudgetRead) {
  for (int round = 0; round < 50; ++round) {
    Governor fresh;
    std::atomic<int> met{0};
    std::atomic<int> reserved{0};
    const auto reserve = [&] {
      ++met;
      while (met < 2) {
      }
      if (fresh.try_reserve(64)) ++reserved;
    };
    std::thread other(reserve);
    reserve();
    other.join();
    ASSERT_EQ(reserved, 2) << round;
  }
}

TEST_F(GovernorTest, TheEnvironmentSaysHowMuch) {
  in_child("100MiB", [] { return Governor::instance().budget() == 100 * kMiB; });
  in_child("50%", [] {
    const auto left = static_cast<double>(memory_facts().usable());
    const auto budget = static_cast<double>(Governor::instance().budget());
    return budget > 0.4 * left && budget < 0.6 * left;
  });
  in_child("a lot", [] {
    try {
      Governor::instance().budget();
    } catch (const ArgumentError& error) {
      return std::string(error.what()).find("PENSTOCK_MEMORY: 'a lot'") != std::string::npos;
    }
    return false;
  });
}

}  // namespace
}  // namespace penstock::memory
