// SPDX-License-Identifier: Apache-2.0
// A float32 addition bound by memory, as a function of a library and as a Google Benchmark: what the lab's own bars
// are measured with, so that both instruments time the same machine code.
#include <cstdint>

extern "C" void lab_add(const float* a, const float* b, float* out, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
}

#ifdef LAB_ADD_PROGRAM
#include <benchmark/benchmark.h>

#include <vector>

namespace {

void Add(benchmark::State& state) {
  const auto n = state.range(0);
  const std::vector<float> a(n, 0.5F);
  const std::vector<float> b(n, 0.25F);
  std::vector<float> out(n);
  for (auto _ : state) {
    lab_add(a.data(), b.data(), out.data(), n);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(Add)->Arg(LAB_ADD_PROGRAM)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
#endif
