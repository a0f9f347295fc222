// SPDX-License-Identifier: Apache-2.0
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/ceilings.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include <cstring>

#include "hwy/cache_control.h"
#include "penstock/kernel/ceilings.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int kChains = 12;

HWY_FLATTEN std::uint64_t read(const std::uint64_t* from, std::int64_t n) {
  const hn::ScalableTag<std::uint64_t> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  V found[8];
  for (V& each : found) each = hn::Zero(d);
  // The widest vectors have 8 lanes: kCeilingUnit of them are eight vectors, of narrower ones several times eight.
  for (std::int64_t i = 0; i < n; i += 8 * lanes) {
    for (int k = 0; k < 8; ++k) found[k] = hn::Xor(found[k], hn::LoadU(d, from + i + k * lanes));
  }
  for (int k = 1; k < 8; ++k) found[0] = hn::Xor(found[0], found[k]);
  std::uint64_t part[HWY_MAX_BYTES / 8];
  hn::StoreU(found[0], d, part);
  std::uint64_t all = 0;
  for (std::int64_t i = 0; i < lanes; ++i) all ^= part[i];
  return all;
}

struct Copy {
  template <class D, class V>
  V operator()(D /*d*/, V a, const double* /*b*/) const {
    return a;
  }
};
struct Add {
  template <class D, class V>
  V operator()(D d, V a, const double* b) const {
    return hn::Add(a, hn::LoadU(d, b));
  }
};
struct Triad {
  template <class D, class V>
  V operator()(D d, V a, const double* b) const {
    return hn::MulAdd(hn::LoadU(d, b), hn::Set(d, 3.0), a);
  }
};

template <class F>
HWY_FLATTEN void stream_loop(const double* a, const double* b, double* out, std::int64_t n, bool past) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const F f;
  if (past) {
    for (std::int64_t i = 0; i < n; i += lanes) hn::Stream(f(d, hn::LoadU(d, a + i), b + i), d, out + i);
    hwy::FlushStream();
    return;
  }
  for (std::int64_t i = 0; i < n; i += 4 * lanes) {
    for (int k = 0; k < 4; ++k) {
      const std::int64_t at = i + k * lanes;
      hn::StoreU(f(d, hn::LoadU(d, a + at), b + at), d, out + at);
    }
  }
}

/// Runs chains of x = step(x), as many as hide the latency, over a state of kCeilingBytes.
template <class T, class Step>
HWY_INLINE void chains(T* state, std::int64_t rounds, const Step& step) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  constexpr auto kWidth = kCeilingBytes / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t first = 0; first < kWidth; first += kChains * lanes) {
    hn::Vec<decltype(d)> x[kChains];
    for (int k = 0; k < kChains; ++k) x[k] = hn::LoadU(d, state + first + k * lanes);
    for (std::int64_t round = 0; round < rounds; ++round) {
      for (int k = 0; k < kChains; ++k) x[k] = step(d, x[k]);
    }
    for (int k = 0; k < kChains; ++k) hn::StoreU(x[k], d, state + first + k * lanes);
  }
}

template <class T>
HWY_FLATTEN void fma(T* state, std::int64_t rounds) {
  const hn::ScalableTag<T> wide;
  const auto half = hn::Set(wide, T(0.5));
  const auto one = hn::Set(wide, T(1));
  chains(state, rounds, [&](auto /*d*/, auto x) { return hn::MulAdd(x, half, one); });
}

HWY_FLATTEN void popcount(std::uint64_t* state, std::int64_t rounds) {
  chains(state, rounds, [](auto /*d*/, auto x) { return hn::Add(x, hn::PopulationCount(x)); });
}

/// sum + the products of the bytes of a and b, four to a sum.
template <class V>
HWY_INLINE V dot_bytes(V sum, V a, V b) {
#if HWY_TARGET == HWY_AVX3_DL
  // Highway compiles this target without VNNI, which the CPUs that it picks it for have.
  asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
  return sum;
#elif HWY_TARGET == HWY_AVX3
  const __m512i pairs = _mm512_maddubs_epi16(a.raw, b.raw);
  return V{_mm512_add_epi32(sum.raw, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))};
#elif HWY_TARGET == HWY_AVX2
  const __m256i pairs = _mm256_maddubs_epi16(a.raw, b.raw);
  return V{_mm256_add_epi32(sum.raw, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))};
#elif HWY_TARGET == HWY_SSE4
  const __m128i pairs = _mm_maddubs_epi16(a.raw, b.raw);
  return V{_mm_add_epi32(sum.raw, _mm_madd_epi16(pairs, _mm_set1_epi16(1)))};
#elif HWY_TARGET == HWY_NEON
  const int8x16_t left = vreinterpretq_s8_s32(a.raw);
  const int8x16_t right = vreinterpretq_s8_s32(b.raw);
  const int16x8_t low = vmull_s8(vget_low_s8(left), vget_low_s8(right));
  const int16x8_t high = vmull_s8(vget_high_s8(left), vget_high_s8(right));
  return V{vaddq_s32(sum.raw, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)))};
#else
  std::int32_t total = sum.raw;
  for (int k = 0; k < 4; ++k) {
    total += static_cast<std::uint8_t>(a.raw >> 8 * k) * static_cast<std::int8_t>(b.raw >> 8 * k);
  }
  return V{total};
#endif
}

HWY_FLATTEN void dot_int8(std::int32_t* state, std::uint32_t a, std::uint32_t b, std::int64_t rounds) {
  const hn::ScalableTag<std::int32_t> wide;
  const auto right = hn::Set(wide, static_cast<std::int32_t>(b));
  auto left = hn::Set(wide, static_cast<std::int32_t>(a));
  chains(state, rounds, [&](auto /*d*/, auto x) {
  // The products are the same in each round; the compiler may not know, or it computes them once.
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
    asm("" : "+v"(left.raw));
#elif HWY_ARCH_ARM && HWY_TARGET != HWY_SCALAR
    asm("" : "+w"(left.raw));
#else
    asm("" : "+r"(left.raw));
#endif
    return dot_bytes(x, left, right);
  });
}

}  // namespace

Ceilings ceilings_of_target();
Ceilings ceilings_of_target() {
  return {read, stream_loop<Copy>, stream_loop<Add>, stream_loop<Triad>, fma<float>, fma<double>, popcount, dot_int8};
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
