// SPDX-License-Identifier: Apache-2.0
// What two threads cost and bring: jobs back to back and after a pause, several callers at once, chunks that are held
// up. Rates are jobs a second of all callers together.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <vector>

#include "penstock/thread/executor.h"
#include "penstock/thread/parallel.h"

namespace penstock::thread {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kThreads = 2;

void spend(std::chrono::nanoseconds time) {
  const auto end = Clock::now() + time;
  while (Clock::now() < end) {
  }
}

void sum(const std::vector<std::int32_t>& x, int threads) {
  constexpr std::int64_t kChunk = 16 << 10;
  const auto n = static_cast<std::int64_t>(x.size());
  parallel_for((n + kChunk - 1) / kChunk,
               [&](std::int64_t i) {
                 const auto begin = x.begin() + i * kChunk;
                 benchmark::DoNotOptimize(std::accumulate(begin, std::min(begin + kChunk, x.end()), std::int32_t{0}));
               },
               threads);
}

void empty(benchmark::State& state) {
  for (auto _ : state) execute(kThreads, [](int) {});
}
BENCHMARK(empty)->UseRealTime();

/// range(0) elements by range(1) threads, range(2) microseconds after the last job.
void sum_after_pause(benchmark::State& state) {
  const std::vector<std::int32_t> x(static_cast<std::size_t>(state.range(0)), 1);
  for (auto _ : state) {
    spend(std::chrono::microseconds(state.range(2)));
    const auto start = Clock::now();
    sum(x, static_cast<int>(state.range(1)));
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
  }
}
BENCHMARK(sum_after_pause)->ArgsProduct({{100'000, 1'000'000}, {1, kThreads}, {0, 200, 2000}})->UseManualTime();

/// One, two and four callers, each with two threads to ask for: the rate must not fall.
void sum_of_callers(benchmark::State& state) {
  const std::vector<std::int32_t> x(1'000'000, 1);
  for (auto _ : state) sum(x, kThreads);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sum_of_callers)->ThreadRange(1, 4)->UseRealTime();

/// 400 chunks of 20 microseconds, the first range(0) of which are held up by 200. `of_ideal`: the work and the delays,
/// shared by the threads without any loss, against the time taken.
void delayed_chunks(benchmark::State& state) {
  constexpr std::int64_t kChunks = 400;
  constexpr std::chrono::microseconds kWork{20};
  constexpr std::chrono::microseconds kDelay{200};
  const std::int64_t delayed = state.range(0);
  const auto start = Clock::now();
  for (auto _ : state) {
    parallel_for(
        kChunks, [&](std::int64_t i) { spend(i < delayed ? kWork + kDelay : kWork); }, kThreads);
  }
  const std::chrono::duration<double> taken = Clock::now() - start;
  const std::chrono::duration<double> ideal = (kChunks * kWork + delayed * kDelay) / kThreads;
  state.counters["of_ideal"] = ideal / taken * static_cast<double>(state.iterations());
}
BENCHMARK(delayed_chunks)->Arg(0)->Arg(4)->Arg(20)->Arg(100)->UseRealTime();

}  // namespace
}  // namespace penstock::thread
