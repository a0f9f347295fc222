// SPDX-License-Identifier: Apache-2.0
// exp of doubles on targets with FMA: e^x = 2^n e^r, n the integer next to x / ln 2. e^r is 1 + r + r^2 q(r), q the
// polynomial of degree 10 that Chebyshev interpolation gives on |r| <= ln 2 / 2 (off by 1.4e-18 at most). The places
// lost: half of one where the last step rounds, 0.18 where r does, 0.17 in the step before the last. Every step is one
// rounding that all these targets share: they give the same bits.
#if defined(PENSTOCK_SIMD_EXP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_SIMD_EXP_INL_H_
#undef PENSTOCK_SIMD_EXP_INL_H_
#else
#define PENSTOCK_SIMD_EXP_INL_H_
#endif

#include <cmath>
#include <cstddef>
#include <iterator>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Vectors whose steps take turns: as many as keep the adders busy while each waits for its own, and stay in registers.
inline constexpr int kSideBySide = HWY_TARGET == HWY_SCALAR ? 1 : HWY_MAX_BYTES == 64 ? 4 : 2;

/// ln 2 in two parts: products of the first and whole numbers are exact.
inline constexpr double kLn2[] = {0x1.62e42fefa3800p-1, 0x1.ef35793c76730p-45};

/// a * b + c with one rounding.
template <class V>
HWY_INLINE V fused(V a, V b, V c) {
#if HWY_TARGET == HWY_SCALAR
  return V{std::fma(a.raw, b.raw, c.raw)};
#else
  return hn::MulAdd(a, b, c);
#endif
}

/// y * 2^n with one rounding, for whole |n| < 2000; `shifted` is n + kShift of exp_of_doubles().
template <class V>
HWY_INLINE V scaled(V y, V n, [[maybe_unused]] V shifted, [[maybe_unused]] double shift) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return V{_mm512_scalef_pd(y.raw, n.raw)};
#else
  const hn::DFromV<V> d;
  const hn::RebindToSigned<decltype(d)> bits;
  const auto power = [&](auto k)
                         HWY_ATTR { return hn::BitCast(d, hn::ShiftLeft<52>(hn::Add(k, hn::Set(bits, 1023)))); };
  static_cast<void>(n);
  // The first of two factors never leaves the normal numbers.
  const auto whole = hn::Sub(hn::BitCast(bits, shifted), hn::BitCast(bits, hn::Set(d, shift)));
  const auto half = hn::ShiftRight<1>(whole);
  return hn::Mul(hn::Mul(y, power(half)), power(hn::Sub(whole, half)));
#endif
}

/// x, no less and no more than the limits; NaN stays.
template <class V>
HWY_INLINE V within(V x, double least, double most) {
  const hn::DFromV<V> d;
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  // The instructions give their second operand where one is NaN.
  return hn::Max(hn::Set(d, least), hn::Min(hn::Set(d, most), x));
#else
  x = hn::IfThenElse(hn::Gt(x, hn::Set(d, most)), hn::Set(d, most), x);
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, least)), hn::Set(d, least), x);
#endif
}

/// e^x of some vectors side by side, in place.
template <int kVectors, class V>
HWY_INLINE void exp_of_doubles(V* x) {
  const hn::DFromV<V> d;
  constexpr double kShift = 0x1.8p52;  // a sum with it has no bits for fractions
  constexpr double kE[] = {0x1.1f730349868cep-29,
                           0x1.af4de97ca4194p-26,
                           0x1.27e4db646b17ep-22,
                           0x1.71de0231960ebp-19,
                           0x1.a01a01a6d889cp-16,
                           0x1.a01a01abe7fe1p-13,
                           0x1.6c16c16c162d4p-10,
                           0x1.11111111100dcp-7,
                           0x1.5555555555556p-5,
                           0x1.5555555555557p-3,
                           0x1p-1,
                           1,
                           1};
  V shifted[kVectors];
  V n[kVectors];
  V r[kVectors];
  V y[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    x[v] = within(x[v], -746.0, 710.0);  // beyond, all results are zero or infinite
    shifted[v] = fused(x[v], hn::Set(d, 0x1.71547652b82fep+0), hn::Set(d, kShift));
    n[v] = hn::Sub(shifted[v], hn::Set(d, kShift));
    r[v] = fused(n[v], hn::Set(d, -kLn2[1]), fused(n[v], hn::Set(d, -kLn2[0]), x[v]));
    y[v] = hn::Set(d, kE[0]);
  }
  for (std::size_t i = 1; i < std::size(kE); ++i) {
    for (int v = 0; v < kVectors; ++v) y[v] = fused(y[v], r[v], hn::Set(d, kE[i]));
  }
  for (int v = 0; v < kVectors; ++v) x[v] = scaled(y[v], n[v], shifted[v], kShift);
}

}  // namespace penstock::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
