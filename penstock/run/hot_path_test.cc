// SPDX-License-Identifier: Apache-2.0
// Workers take nothing from the heap: every operator new on a thread that is inside a shared loop is counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "penstock/measure/counters.h"
#include "penstock/memory/arena.h"
#include "penstock/run/settings.h"
#include "penstock/run/tuning.h"
#include "penstock/thread/executor.h"
#include "penstock/thread/parallel.h"

namespace {

std::atomic<std::int64_t> allocations{0};

}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PENSTOCK_COUNTS_ALLOCATIONS 1

namespace {

void* counted(std::size_t bytes) {
  if (penstock::thread::inside_loop()) allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace penstock::run {
namespace {

using graph::NodeRef;

class HotPath : public ::testing::Test {
 protected:
  void SetUp() override {
#if !defined(PENSTOCK_COUNTS_ALLOCATIONS)
    GTEST_SKIP() << "the sanitizer has its own operator new";
#endif
  }

  static NodeRef ones(const Dims& shape) {
    Plain values(DType::k_float32, shape);
    std::fill_n(reinterpret_cast<float*>(values.bytes.data()), values.size(), 1.0F);
    return node_of(values);
  }

  using Taken = std::pair<std::int64_t, std::int64_t>;
  static constexpr Taken kNothing{0, 0};

  /// Opens the scratch of the caller and of every helper that may come: each waits for all others, so that none does
  /// two threads' part, and none opens its own only when an evaluation counts.
  static void open_scratch() {
    const int threads = std::max(2, thread::helper_count().started + 1);
    std::atomic<int> met{0};
    thread::on_workers(threads, [&](int) {
      const memory::Arena::Scope scope(1);
      ++met;
      while (met < threads) std::this_thread::yield();
    });
  }

  /// Allocations of the workers, and growths of their scratch, in three evaluations after others like it: until one
  /// takes nothing, because a worker to whom the other one left nothing has its scratch yet to grow.
  template <class Make>
  static Taken in_steady_state(const Make& make) {
    constexpr int kMostRounds = 10;
    const ThreadSetting two(2);
    open_scratch();
    for (int round = 0; round < kMostRounds && taken_by(make, 1) != kNothing; ++round) {
    }
    return taken_by(make, 3);
  }

  template <class Make>
  static Taken taken_by(const Make& make, int evaluations) {
    const std::int64_t grown = measure::value(measure::Counter::k_arena_growths);
    const std::int64_t before = allocations.load();
    for (int i = 0; i < evaluations; ++i) evaluate({request_of(make())});
    return {allocations.load() - before, measure::value(measure::Counter::k_arena_growths) - grown};
  }
};

TEST_F(HotPath, TheCountSeesAnAllocation) {
  const std::int64_t before = allocations.load();
  thread::on_workers(2, [](int) { delete new int(1); });  // NOLINT: what is tested
  EXPECT_EQ(allocations.load() - before, 2);
}

TEST_F(HotPath, ElementwiseWorkersTakeNothingFromTheHeap) {
  const NodeRef x = ones({2'000'000});
  const NodeRef column = ones({2000, 1});
  const NodeRef row = ones({1000});
  EXPECT_EQ(in_steady_state([&] { return graph::make_elementwise(Op::k_add, {x, x}); }), kNothing);
  EXPECT_EQ(in_steady_state([&] {
              return graph::make_elementwise(Op::k_exp, {graph::make_elementwise(Op::k_add, {x, x})});
            }),
            kNothing);
  EXPECT_EQ(in_steady_state([&] { return graph::make_elementwise(Op::k_multiply, {column, row}); }), kNothing);
}

TEST_F(HotPath, ReducingWorkersTakeNothingFromTheHeap) {
  const NodeRef x = ones({2000, 1000});
  for (const std::vector<int>& axes : {std::vector<int>{0, 1}, std::vector<int>{0}, std::vector<int>{1}})
    EXPECT_EQ(in_steady_state([&] { return graph::make_reduce(Reduction::k_sum, x, axes, false); }), kNothing)
        << axes.size();
}

TEST_F(HotPath, CountingWorkersTakeNothingFromTheHeap) {
  const NodeRef x = ones({2'000'000});
  EXPECT_EQ(in_steady_state([&] { return graph::make_histogram(x, {0, 0.5, 1}, 2); }), kNothing);
}

}  // namespace
}  // namespace penstock::run
