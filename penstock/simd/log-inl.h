// SPDX-License-Identifier: Apache-2.0
// log of doubles on targets with FMA: log x = k ln 2 + log(1 + r), 1 + r = x / 2^k in [sqrt(1/2), sqrt(2)). log(1 + r)
// is r - r^2 / 2 + r^3 q(r), q the polynomial of degree 19 that Chebyshev interpolation gives on the range of r (off by
// 0.07 places of the result at most). The sum k ln 2 + r is kept in two parts, and what follows it is a fifth of the
// result at most. Every step is one rounding that all these targets share: they give the same bits.
#if defined(PENSTOCK_SIMD_LOG_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_SIMD_LOG_INL_H_
#undef PENSTOCK_SIMD_LOG_INL_H_
#else
#define PENSTOCK_SIMD_LOG_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>

#include "penstock/simd/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr double kLogBias = 0x1p52 + 1023;

/// x = 2^k (1 + r), of normal x above zero; `bias` is taken from the exponent.
template <class V>
HWY_INLINE void split(V x, V bias, V& k, V& r) {
  const hn::DFromV<V> d;
  const hn::RebindToUnsigned<decltype(d)> bits;
  constexpr std::uint64_t kRoot = 0x3fe6a09e667f3bcd;  // the bits of sqrt(1/2)
  constexpr std::uint64_t kOne = 0x3ff0000000000000;
  // Bits as if the mantissa began at sqrt(1/2). The last bits of a number from 2^52 on are a whole number.
  const auto turned = hn::Add(hn::BitCast(bits, x), hn::Set(bits, kOne - kRoot));
  const auto whole = hn::Or(hn::ShiftRight<52>(turned), hn::Set(bits, 0x4330000000000000));
  k = hn::Sub(hn::BitCast(d, whole), bias);
  const auto mantissa = hn::And(turned, hn::Set(bits, 0x000fffffffffffff));
  r = hn::Sub(hn::BitCast(d, hn::Add(mantissa, hn::Set(bits, kRoot))), hn::Set(d, 1));
}

/// p with log(1 + r) = r + r^2 p.
template <int kVectors, class V>
HWY_INLINE void log_polynomials(const V* r, const V* square, V* p) {
  // The coefficients of q, those of odd powers beside those of even ones: two chains that do not wait for each other.
  constexpr double kQ[][2] = {
      {-0x1.9a9a68c447047p-6, 0x1.d03182232bb25p-5}, {-0x1.f6223b4ebae32p-5, 0x1.b81071d2b9323p-5},
      {-0x1.b7c4ffe0c77fdp-5, 0x1.de2b25a838da5p-5}, {-0x1.009d9ede13925p-4, 0x1.1148d6d97be33p-4},
      {-0x1.248bbb2b73dd0p-4, 0x1.3b105762c04e6p-4}, {-0x1.555574cd5f5abp-4, 0x1.745d343946656p-4},
      {-0x1.9999999711ba3p-4, 0x1.c71c713ccca51p-4}, {-0x1.fffffffe0374fp-4, 0x1.24924925376dap-3},
      {-0x1.5555555558074p-3, 0x1.9999999999010p-3}, {-0x1.fffffffffffe7p-3, 0x1.5555555555556p-2}};
  const hn::DFromV<V> d;
  V odd[kVectors];
  V even[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    odd[v] = hn::Set(d, kQ[0][0]);
    even[v] = hn::Set(d, kQ[0][1]);
  }
  for (std::size_t i = 1; i < std::size(kQ); ++i) {
    for (int v = 0; v < kVectors; ++v) {
      odd[v] = fused(odd[v], square[v], hn::Set(d, kQ[i][0]));
      even[v] = fused(even[v], square[v], hn::Set(d, kQ[i][1]));
    }
  }
  for (int v = 0; v < kVectors; ++v) p[v] = fused(fused(odd[v], r[v], even[v]), r[v], hn::Set(d, -0.5));
}

/// k ln 2 + r + square p.
template <class V>
HWY_INLINE V log_sum(V k, V r, V square, V p) {
  const hn::DFromV<V> d;
  // Products with the first part of ln 2 are exact, and zero or greater than r: so is what the sum has lost.
  const V high = fused(k, hn::Set(d, kLn2[0]), r);
  const V lost = hn::Add(fused(k, hn::Set(d, kLn2[0]), hn::Neg(high)), r);
  return hn::Add(high, fused(square, p, fused(k, hn::Set(d, kLn2[1]), lost)));
}

/// log(x) of normal x above zero, in place.
template <int kVectors, class V>
HWY_INLINE void log_of_normals(V* x, V bias) {
  V k[kVectors];
  V r[kVectors];
  V square[kVectors];
  V p[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    split(x[v], bias, k[v], r[v]);
    square[v] = hn::Mul(r[v], r[v]);
  }
  log_polynomials<kVectors>(r, square, p);
  for (int v = 0; v < kVectors; ++v) x[v] = log_sum(k[v], r[v], square[v], p[v]);
}

/// log(x) of any x.
template <class V>
HWY_NOINLINE V log_of_any(V x) {
  const hn::DFromV<V> d;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const V zero = hn::Zero(d);
  const auto small = hn::Lt(x, hn::Set(d, 0x1p-1022));
  V y = hn::IfThenElse(small, hn::Mul(x, hn::Set(d, 0x1p54)), x);
  log_of_normals<1>(&y, hn::IfThenElse(small, hn::Set(d, kLogBias + 54), hn::Set(d, kLogBias)));
  y = hn::IfThenElse(hn::Eq(x, hn::Set(d, kInfinity)), x, y);
  y = hn::IfThenElse(hn::Eq(x, zero), hn::Set(d, -kInfinity), y);
  y = hn::IfThenElse(hn::Lt(x, zero), hn::Set(d, std::numeric_limits<double>::quiet_NaN()), y);
  return hn::IfThenElse(hn::Eq(x, x), y, x);  // Ne() may be false of NaN
}

/// log of some vectors side by side, in place.
template <int kVectors, class V>
HWY_INLINE void log_of_doubles(V* x) {
  const hn::DFromV<V> d;
  const auto usual = [&](V of) HWY_ATTR {
    return hn::And(hn::Ge(of, hn::Set(d, 0x1p-1022)), hn::Le(of, hn::Set(d, 0x1.fffffffffffffp1023)));
  };
  auto all = usual(x[0]);
  for (int v = 1; v < kVectors; ++v) all = hn::And(all, usual(x[v]));
  if (HWY_LIKELY(hn::AllTrue(d, all)))
    log_of_normals<kVectors>(x, hn::Set(d, kLogBias));
  else
    for (int v = 0; v < kVectors; ++v) x[v] = log_of_any(x[v]);
}

}  // namespace penstock::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
