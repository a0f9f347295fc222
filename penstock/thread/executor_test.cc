// SPDX-License-Identifier: Apache-2.0
#include "penstock/thread/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "penstock/thread/watchdog.h"

namespace penstock::thread {
namespace {

using Id = std::thread::id;

/// A flag that threads wait for.
class Gate {
 public:
  void open() { open_.store(true); }
  void wait() const {
    while (!open_.load()) std::this_thread::yield();
  }

 private:
  std::atomic<bool> open_{false};
};

void wait_for(const std::atomic<int>& count, int least) {
  while (count.load() < least) std::this_thread::yield();
}

class Executor : public ::testing::Test {
  Watchdog watchdog_;
};

TEST_F(Executor, IdleHelpersSleep) {
  for (int round = 0; round < 20; ++round) execute(4, [](int) {});
  EXPECT_GE(helper_count().started, 3);
  while (helper_count().asleep < helper_count().started) std::this_thread::yield();
}

TEST_F(Executor, ACallerDoesNotWaitForHelpersThatWorkElsewhere) {
  std::atomic<int> inside{0};
  Gate gate;
  std::thread other([&] {
    execute(2, [&](int) {
      ++inside;
      gate.wait();
    });
  });
  wait_for(inside, 2);
  std::set<Id> threads;
  execute(2, [&](int) { threads.insert(std::this_thread::get_id()); });
  EXPECT_EQ(threads, std::set<Id>{std::this_thread::get_id()});
  gate.open();
  other.join();
}

TEST_F(Executor, HelpComesWhenOtherCallersLeave) {
  std::atomic<int> inside{0};
  Gate gate;
  std::vector<std::thread> others;
  for (int i = 0; i < 2; ++i) {
    others.emplace_back([&] {
      execute(1, [&](int) {
        ++inside;
        gate.wait();
      });
    });
  }
  wait_for(inside, 2);
  std::atomic<int> bodies{0};
  std::thread caller([&] {
    // Each waits for the other: they end only on two threads.
    execute(2, [&](int) {
      ++bodies;
      wait_for(bodies, 2);
    });
  });
  wait_for(bodies, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // a job that lasts
  EXPECT_EQ(bodies, 1);
  gate.open();
  for (std::thread& each : others) each.join();
  caller.join();
  EXPECT_EQ(bodies, 2);
}

TEST_F(Executor, ASecondShortJobInARowMayWakeHelpers) {
  while (helper_count().asleep < helper_count().started) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(in_a_row());
  // Asked again and again without a pause, some two of the questions are close enough on the busiest machine.
  while (!in_a_row()) {
  }
}

TEST_F(Executor, CallersOfDifferentWidthsShareTheHelpers) {
  std::atomic<int> ran{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&ran, c] {
      for (int round = 0; round < 200; ++round) execute(1 + (c + round) % 5, [&](int) { ++ran; });
    });
  }
  for (std::thread& each : callers) each.join();
  EXPECT_EQ(ran, 4 * 200 * 3);
}

}  // namespace
}  // namespace penstock::thread
