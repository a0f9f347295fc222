// SPDX-License-Identifier: Apache-2.0
#include "penstock/thread/parallel.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/level.h"
#include "penstock/thread/watchdog.h"

namespace penstock::thread {
namespace {

class Parallel : public ::testing::Test {
 protected:
  void TearDown() override {
    set_count(0);
    set_level(Level::kFull);
  }
  Watchdog watchdog_;
};

/// How often body ran for each i.
std::vector<int> runs_of(std::int64_t n, int workers) {
  std::vector<std::atomic<int>> seen(static_cast<std::size_t>(std::max<std::int64_t>(n, 0)));
  parallel_for(
      n, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; }, workers);
  return {seen.begin(), seen.end()};
}

TEST_F(Parallel, EachIndexOnce) {
  for (const std::int64_t n : {0, 1, 2, 3, 7, 64, 1000}) {
    for (const int workers : {1, 2, 3, 7, 16}) {
      EXPECT_EQ(runs_of(n, workers), std::vector<int>(static_cast<std::size_t>(n), 1)) << n << " by " << workers;
    }
  }
}

TEST_F(Parallel, NothingForANegativeCount) {
  bool ran = false;
  parallel_for(-5, [&](std::int64_t) { ran = true; });
  EXPECT_FALSE(ran);
}

TEST_F(Parallel, EachWorkerOnce) {
  for (int workers = 0; workers < 20; ++workers) {
    std::vector<std::atomic<int>> seen(20);
    on_workers(workers, [&](int worker) { ++seen[static_cast<std::size_t>(worker)]; });
    for (int i = 0; i < 20; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i < workers ? 1 : 0) << workers;
  }
}

TEST_F(Parallel, NoMoreThreadsAtOnceThanWorkers) {
  for (const int workers : {1, 2, 5}) {
    std::atomic<int> now{0};
    std::atomic<int> most{0};
    parallel_for(
        200,
        [&](std::int64_t) {
          const int here = ++now;
          int seen = most;
          while (here > seen && !most.compare_exchange_weak(seen, here)) {
          }
          std::this_thread::yield();
          --now;
        },
        workers);
    EXPECT_LE(most, workers);
  }
}

TEST_F(Parallel, ThrowsTheFirstErrorAndStops) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    const std::int64_t n = 1 + static_cast<std::int64_t>(random() % 200);
    const std::int64_t bad = static_cast<std::int64_t>(random() % static_cast<unsigned>(n));
    const int workers = 1 + static_cast<int>(random() % 6);
    std::atomic<std::int64_t> most{-1};
    try {
      parallel_for(
          n,
          [&](std::int64_t i) {
            std::int64_t seen = most;
            while (i > seen && !most.compare_exchange_weak(seen, i)) {
            }
            if (i == bad) throw std::runtime_error(std::to_string(i));
          },
          workers);
      ADD_FAILURE() << "no error";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), std::to_string(bad));
    }
    if (workers == 1) {
      EXPECT_EQ(most, bad);
    }
    // The loop is fit for use again.
    EXPECT_EQ(runs_of(20, workers), std::vector<int>(20, 1));
  }
}

TEST_F(Parallel, OneErrorOfMany) {
  for (int round = 0; round < 200; ++round) {
    EXPECT_THROW(parallel_for(
                     100, [](std::int64_t i) { throw OutOfRangeError(std::to_string(i)); }, 4),
                 OutOfRangeError);
  }
}

TEST_F(Parallel, NestedLoopsRunOnTheirThread) {
  std::vector<std::atomic<int>> seen(30 * 40);
  std::atomic<int> elsewhere{0};
  parallel_for(
      30,
      [&](std::int64_t i) {
        const auto self = std::this_thread::get_id();
        parallel_for(
            40,
            [&](std::int64_t j) {
              if (std::this_thread::get_id() != self) ++elsewhere;
              ++seen[static_cast<std::size_t>(i * 40 + j)];
            },
            4);
      },
      4);
  EXPECT_EQ(elsewhere, 0);
  for (const auto& each : seen) EXPECT_EQ(each, 1);
}

TEST_F(Parallel, NestedErrorsComeThrough) {
  EXPECT_THROW(parallel_for(
                   8,
                   [](std::int64_t i) {
                     parallel_for(
                         8,
                         [&](std::int64_t j) {
                           if (i * 8 + j == 37) throw ShapeError("37");
                         },
                         2);
                   },
                   3),
               ShapeError);
  // A loop after it is parallel again: two bodies that wait for each other end.
  std::atomic<int> met{0};
  on_workers(2, [&](int) {
    ++met;
    while (met < 2) std::this_thread::yield();
  });
  EXPECT_EQ(met, 2);
}

TEST_F(Parallel, ASlowIndexDoesNotStallTheOthers) {
  // Index 0 ends only when all others are done: they have to run on the other worker.
  std::atomic<int> others{0};
  parallel_for(
      100,
      [&](std::int64_t i) {
        if (i != 0) {
          ++others;
          return;
        }
        while (others < 99) std::this_thread::yield();
      },
      2);
  EXPECT_EQ(others, 99);
}

TEST_F(Parallel, CountFollowsTheSettings) {
  const int usual = count();
  EXPECT_GE(usual, 1);
  set_count(5);
  EXPECT_EQ(count(), 5);
  set_level(Level::kSimd);
  EXPECT_EQ(count(), 1);
  set_level(Level::kParallel);
  EXPECT_EQ(count(), 5);
  set_count(0);
  EXPECT_EQ(count(), usual);
  EXPECT_THROW(set_count(-1), ArgumentError);
  EXPECT_THROW(set_count(1025), ArgumentError);
  EXPECT_THROW(set_count(std::int64_t{1} << 32), ArgumentError);
  EXPECT_EQ(count(), usual);
}

TEST_F(Parallel, SetCountIsEffectiveAtOnce) {
  for (const int threads : {1, 4, 2, 7}) {
    set_count(threads);
    // As many bodies as threads meet: fewer threads would wait for ever, which the watchdog tells.
    std::atomic<int> met{0};
    parallel_for(threads, [&](std::int64_t) {
      ++met;
      while (met < threads) std::this_thread::yield();
    });
    EXPECT_EQ(met, threads);
  }
}

TEST_F(Parallel, LoopsOfSeveralThreads) {
  std::vector<std::thread> callers;
  std::atomic<std::int64_t> sum{0};
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round)
        parallel_for(
            50, [&](std::int64_t i) { sum += i; }, 3);
    });
  }
  for (std::thread& each : callers) each.join();
  EXPECT_EQ(sum, 4 * 100 * (49 * 50 / 2));
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
// ThreadSanitizer does not follow threads started after a fork. g++ 12's AddressSanitizer forks with the lock of its
// allocator in whatever state another thread left it; the child then waits for it for ever, now and then.
constexpr bool kForks = false;
#else
constexpr bool kForks = true;
#endif

TEST_F(Parallel, AForkedChildComputes) {
  if (!kForks) GTEST_SKIP();
  runs_of(100, 4);  // the parent's threads exist
  for (int round = 0; round < 5; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      const bool right = runs_of(100, 4) == std::vector<int>(100, 1);
      _exit(right ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

}  // namespace
}  // namespace penstock::thread
