// SPDX-License-Identifier: Apache-2.0
// What a hand-written program does on this machine: ceilings of reading and copying, and the fused chain.
//
// Compiled by the system's compiler with -O3 -march=native -fopenmp. `stream` chooses non-temporal stores, which need
// `out` on a 64-byte boundary; operands may lie anywhere. Counts are elements; a tail of fewer than 16 is done by
// itself.

#include <immintrin.h>

#include <cstring>

namespace {

using Vector = float __attribute__((vector_size(64)));
constexpr long kLanes = 16;

Vector Load(const float* from) {
  Vector vector;
  std::memcpy(&vector, from, sizeof(vector));
  return vector;
}

template <bool kStream>
void Store(Vector vector, float* to) {
  if constexpr (!kStream) {
    std::memcpy(to, &vector, sizeof(vector));
  } else {
#if defined(__AVX512F__)
    _mm512_stream_ps(to, reinterpret_cast<__m512>(vector));
#elif defined(__AVX__)
    float parts[kLanes];
    std::memcpy(parts, &vector, sizeof(vector));
    _mm256_stream_ps(to, _mm256_loadu_ps(parts));
    _mm256_stream_ps(to + 8, _mm256_loadu_ps(parts + 8));
#else
    float parts[kLanes];
    std::memcpy(parts, &vector, sizeof(vector));
    for (long i = 0; i < kLanes; i += 4) _mm_stream_ps(to + i, _mm_loadu_ps(parts + i));
#endif
  }
}

// Calls body(first, last) on each thread for its even share of [0, count), in whole vectors but for the last.
template <typename Body>
void Shared(long count, int threads, Body body) {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int thread = 0; thread < threads; ++thread) {
    const long share = count / threads / kLanes * kLanes;
    const long first = thread * share;
    body(first, thread + 1 == threads ? count : first + share);
    _mm_sfence();
  }
}

template <bool kStream>
void Chain(const float* a, const float* b, const float* c, float* out, long count, int threads) {
  Shared(count, threads, [=](long first, long last) {
    long i = first;
    for (; i + kLanes <= last; i += kLanes) {
      Store<kStream>(2.0f * Load(a + i) + 3.0f * Load(b + i) - 1.0f / (Load(c + i) + 1.0f), out + i);
    }
    for (; i < last; ++i) out[i] = 2.0f * a[i] + 3.0f * b[i] - 1.0f / (c[i] + 1.0f);
  });
}

template <bool kStream>
void Copy(const float* from, float* out, long count, int threads) {
  Shared(count, threads, [=](long first, long last) {
    long i = first;
    for (; i + kLanes <= last; i += kLanes) Store<kStream>(Load(from + i), out + i);
    for (; i < last; ++i) out[i] = from[i];
  });
}

}  // namespace

extern "C" {

void chain(const float* a, const float* b, const float* c, float* out, long count, int threads, int stream) {
  stream ? Chain<true>(a, b, c, out, count, threads) : Chain<false>(a, b, c, out, count, threads);
}

void copy(const float* from, float* out, long count, int threads, int stream) {
  stream ? Copy<true>(from, out, count, threads) : Copy<false>(from, out, count, threads);
}

// The sum in an order that reads as fast as can be: eight accumulators a thread.
float read(const float* from, long count, int threads) {
  constexpr long kStep = 8 * kLanes;
  float total = 0;
#pragma omp parallel for num_threads(threads) schedule(static, 1) reduction(+ : total)
  for (int thread = 0; thread < threads; ++thread) {
    const long share = count / threads / kStep * kStep;
    const long last = (thread + 1) * share;
    Vector sums[8] = {};
    for (long i = thread * share; i < last; i += kStep) {
#pragma GCC unroll 8
      for (long k = 0; k < 8; ++k) sums[k] += Load(from + i + k * kLanes);
    }
    for (long k = 1; k < 8; ++k) sums[0] += sums[k];
    for (long lane = 0; lane < kLanes; ++lane) total += sums[0][lane];
  }
  for (long i = count / threads / kStep * kStep * threads; i < count; ++i) total += from[i];
  return total;
}
}
