// SPDX-License-Identifier: Apache-2.0
// What it costs to take memory and to give it back, by the pool alone and with the governor's count.
#include <benchmark/benchmark.h>

#include "penstock/memory/buffer.h"
#include "penstock/memory/pool.h"

namespace penstock::memory {
namespace {

void pool(benchmark::State& state) {
  for (auto _ : state) {
    const Block block = pool_take(state.range(0));
    benchmark::DoNotOptimize(block.data);
    pool_give(block);
  }
}
BENCHMARK(pool)->Arg(40)->Arg(10'000)->Arg(100'000)->Arg(4'000'000);

void buffer(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Buffer::allocate(state.range(0), "a measurement").data());
}
BENCHMARK(buffer)->Arg(40)->Arg(10'000)->Arg(100'000)->Arg(4'000'000);

}  // namespace
}  // namespace penstock::memory
