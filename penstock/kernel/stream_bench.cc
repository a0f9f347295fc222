// SPDX-License-Identifier: Apache-2.0
// Copy, elementwise addition, sum and maximum over arrays that lie in each cache and in none. One thread.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "penstock/base/machine.h"
#include "penstock/kernel/table.h"

namespace penstock::kernel {
namespace {

constexpr std::int64_t kSize = sizeof(float);

struct Free {
  void operator()(float* memory) const { ::operator delete[](memory, std::align_val_t{64}); }
};
using Floats = std::unique_ptr<float[], Free>;

/// n floats from 0 to 1, at the start of a cache line.
Floats floats(std::int64_t n) {
  Floats found(
      static_cast<float*>(::operator new[](static_cast<std::size_t>(n) * sizeof(float), std::align_val_t{64})));
  for (std::int64_t i = 0; i < n; ++i) found[static_cast<std::size_t>(i)] = static_cast<float>(i % 1024) / 1024;
  return found;
}

/// Half of each cache, and four times the last one, shared among `arrays`.
void levels(benchmark::internal::Benchmark* bench, std::int64_t arrays) {
  const Caches& caches = penstock::caches();
  for (const std::int64_t bytes : {caches.l1d / 2, caches.l2 / 2, caches.l3 / 2, 4 * caches.l3})
    bench->Arg(bytes / (kSize * arrays) / 64 * 64);
}

void count(benchmark::State& state, std::int64_t arrays) {
  state.SetBytesProcessed(state.iterations() * state.range(0) * kSize * arrays);
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetLabel(table().target);
}

void copy(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  const Floats in = floats(n);
  const Floats out = floats(n);
  const Pack pack = table().pack[2];
  for (auto _ : state) {
    pack(in.get(), kSize, out.get(), n);
    benchmark::ClobberMemory();
  }
  count(state, 2);
}
BENCHMARK(copy)->Apply([](auto* bench) { levels(bench, 2); });

void add(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  const Floats a = floats(n);
  const Floats b = floats(n);
  const Floats out = floats(n);
  const Elementwise loop = table().elementwise[index_of(Op::k_add)][index_of(DType::k_float32)];
  const void* const in[] = {a.get(), b.get()};
  for (auto _ : state) {
    loop(in, out.get(), n);
    benchmark::ClobberMemory();
  }
  count(state, 3);
}
BENCHMARK(add)->Apply([](auto* bench) { levels(bench, 3); });

/// Folds n floats, whole groups of lanes, into a state of the reduction.
void fold(benchmark::State& state, Reduction which) {
  constexpr std::int64_t kLanes = lanes_of(DType::k_float32);
  const std::int64_t groups = state.range(0) / kLanes;
  const Floats in = floats(groups * kLanes);
  const Reducer& reducer = table().reduce[index_of(which)][index_of(DType::k_float32)];
  std::vector<double> slots(static_cast<std::size_t>(kLanes * reducer.fields));
  reducer.clear(slots.data(), kLanes, 0, kLanes);
  for (auto _ : state) {
    reducer.fold_groups(slots.data(), kLanes, in.get(), kLanes, groups, 0, 1, 0);
    benchmark::DoNotOptimize(slots.data());
    benchmark::ClobberMemory();
  }
  count(state, 1);
}
void sum(benchmark::State& state) { fold(state, Reduction::k_sum); }
void max(benchmark::State& state) { fold(state, Reduction::k_max); }
BENCHMARK(sum)->Apply([](auto* bench) { levels(bench, 1); });
BENCHMARK(max)->Apply([](auto* bench) { levels(bench, 1); });

}  // namespace
}  // namespace penstock::kernel
