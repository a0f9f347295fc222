// SPDX-License-Identifier: Apache-2.0
// SLEEF's functions for the vectors of the target being compiled: sleef_<name>(v) and sleef_<name>(a, b) for Highway's
// vectors of float and double.
//
// The deterministic entry points are used, whose results depend on the element alone: `finz` (with FMA; the same bits
// on all targets that have it) and `cinz` (without). sleef.h declares only the vectors of the compiler's -march, so the
// functions are declared here. The scalar target has both and takes kFma to choose: with FMA it gives the bits of the
// vector targets.
#if defined(PENSTOCK_SIMD_SLEEF_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_SIMD_SLEEF_INL_H_
#undef PENSTOCK_SIMD_SLEEF_INL_H_
#else
#define PENSTOCK_SIMD_SLEEF_INL_H_
#endif

#include "hwy/highway.h"

#undef PENSTOCK_SLEEF_F
#undef PENSTOCK_SLEEF_D
#undef PENSTOCK_SLEEF_1
#undef PENSTOCK_SLEEF_2
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
#define PENSTOCK_SLEEF_F(name, bound) Sleef_finz_##name##f16_##bound##avx512f
#define PENSTOCK_SLEEF_D(name, bound) Sleef_finz_##name##d8_##bound##avx512f
#elif HWY_TARGET == HWY_AVX2
#define PENSTOCK_SLEEF_F(name, bound) Sleef_finz_##name##f8_##bound##avx2
#define PENSTOCK_SLEEF_D(name, bound) Sleef_finz_##name##d4_##bound##avx2
#elif HWY_TARGET == HWY_SSE4
#define PENSTOCK_SLEEF_F(name, bound) Sleef_cinz_##name##f4_##bound##sse4
#define PENSTOCK_SLEEF_D(name, bound) Sleef_cinz_##name##d2_##bound##sse4
#elif HWY_TARGET == HWY_NEON
#define PENSTOCK_SLEEF_F(name, bound) Sleef_finz_##name##f4_##bound##advsimd
#define PENSTOCK_SLEEF_D(name, bound) Sleef_finz_##name##d2_##bound##advsimd
#elif HWY_TARGET == HWY_SCALAR
#define PENSTOCK_SLEEF_F(name, bound) Sleef_finz_##name##f1_##bound##purecfma
#define PENSTOCK_SLEEF_D(name, bound) Sleef_finz_##name##d1_##bound##purecfma
#else
#error "name SLEEF's functions for this target"
#endif

HWY_BEFORE_NAMESPACE();
namespace penstock::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using FloatTag = hn::ScalableTag<float>;
using DoubleTag = hn::ScalableTag<double>;
using Floats = hn::Vec<FloatTag>;
using Doubles = hn::Vec<DoubleTag>;
using RawFloats = decltype(Floats{}.raw);
using RawDoubles = decltype(Doubles{}.raw);

#if HWY_TARGET == HWY_SCALAR

#define PENSTOCK_SLEEF_1(name, bound)                                                    \
  extern "C" float PENSTOCK_SLEEF_F(name, bound)(float) __attribute__((const));          \
  extern "C" double PENSTOCK_SLEEF_D(name, bound)(double) __attribute__((const));        \
  extern "C" float Sleef_cinz_##name##f1_##bound##purec(float) __attribute__((const));   \
  extern "C" double Sleef_cinz_##name##d1_##bound##purec(double) __attribute__((const)); \
  template <bool kFma>                                                                   \
  HWY_INLINE Floats sleef_##name(Floats x) {                                             \
    if constexpr (kFma) return Floats(PENSTOCK_SLEEF_F(name, bound)(x.raw));             \
    return Floats(Sleef_cinz_##name##f1_##bound##purec(x.raw));                          \
  }                                                                                      \
  template <bool kFma>                                                                   \
  HWY_INLINE Doubles sleef_##name(Doubles x) {                                           \
    if constexpr (kFma) return Doubles(PENSTOCK_SLEEF_D(name, bound)(x.raw));            \
    return Doubles(Sleef_cinz_##name##d1_##bound##purec(x.raw));                         \
  }
#define PENSTOCK_SLEEF_2(name, bound)                                                            \
  extern "C" float PENSTOCK_SLEEF_F(name, bound)(float, float) __attribute__((const));           \
  extern "C" double PENSTOCK_SLEEF_D(name, bound)(double, double) __attribute__((const));        \
  extern "C" float Sleef_cinz_##name##f1_##bound##purec(float, float) __attribute__((const));    \
  extern "C" double Sleef_cinz_##name##d1_##bound##purec(double, double) __attribute__((const)); \
  template <bool kFma>                                                                           \
  HWY_INLINE Floats sleef_##name(Floats a, Floats b) {                                           \
    if constexpr (kFma) return Floats(PENSTOCK_SLEEF_F(name, bound)(a.raw, b.raw));              \
    return Floats(Sleef_cinz_##name##f1_##bound##purec(a.raw, b.raw));                           \
  }                                                                                              \
  template <bool kFma>                                                                           \
  HWY_INLINE Doubles sleef_##name(Doubles a, Doubles b) {                                        \
    if constexpr (kFma) return Doubles(PENSTOCK_SLEEF_D(name, bound)(a.raw, b.raw));             \
    return Doubles(Sleef_cinz_##name##d1_##bound##purec(a.raw, b.raw));                          \
  }

#else

#define PENSTOCK_SLEEF_1(name, bound)                                                     \
  extern "C" RawFloats PENSTOCK_SLEEF_F(name, bound)(RawFloats) __attribute__((const));   \
  extern "C" RawDoubles PENSTOCK_SLEEF_D(name, bound)(RawDoubles) __attribute__((const)); \
  template <bool>                                                                         \
  HWY_INLINE Floats sleef_##name(Floats x) {                                              \
    return Floats{PENSTOCK_SLEEF_F(name, bound)(x.raw)};                                  \
  }                                                                                       \
  template <bool>                                                                         \
  HWY_INLINE Doubles sleef_##name(Doubles x) {                                            \
    return Doubles{PENSTOCK_SLEEF_D(name, bound)(x.raw)};                                 \
  }
#define PENSTOCK_SLEEF_2(name, bound)                                                                 \
  extern "C" RawFloats PENSTOCK_SLEEF_F(name, bound)(RawFloats, RawFloats) __attribute__((const));    \
  extern "C" RawDoubles PENSTOCK_SLEEF_D(name, bound)(RawDoubles, RawDoubles) __attribute__((const)); \
  template <bool>                                                                                     \
  HWY_INLINE Floats sleef_##name(Floats a, Floats b) {                                                \
    return Floats{PENSTOCK_SLEEF_F(name, bound)(a.raw, b.raw)};                                       \
  }                                                                                                   \
  template <bool>                                                                                     \
  HWY_INLINE Doubles sleef_##name(Doubles a, Doubles b) {                                             \
    return Doubles{PENSTOCK_SLEEF_D(name, bound)(a.raw, b.raw)};                                      \
  }

#endif

PENSTOCK_SLEEF_1(acos, u10)
PENSTOCK_SLEEF_1(acosh, u10)
PENSTOCK_SLEEF_1(asin, u10)
PENSTOCK_SLEEF_1(asinh, u10)
PENSTOCK_SLEEF_1(atan, u10)
PENSTOCK_SLEEF_2(atan2, u10)
PENSTOCK_SLEEF_1(atanh, u10)
PENSTOCK_SLEEF_1(cos, u10)
PENSTOCK_SLEEF_1(cosh, u10)
PENSTOCK_SLEEF_1(exp, u10)
PENSTOCK_SLEEF_1(expm1, u10)
PENSTOCK_SLEEF_2(hypot, u05)
PENSTOCK_SLEEF_1(log, u10)
PENSTOCK_SLEEF_1(log10, u10)
PENSTOCK_SLEEF_1(log1p, u10)
PENSTOCK_SLEEF_1(log2, u10)
PENSTOCK_SLEEF_2(pow, u10)
PENSTOCK_SLEEF_1(sin, u10)
PENSTOCK_SLEEF_1(sinh, u10)
PENSTOCK_SLEEF_1(tan, u10)
PENSTOCK_SLEEF_1(tanh, u10)

}  // namespace penstock::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
