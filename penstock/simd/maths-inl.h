// SPDX-License-Identifier: Apache-2.0
// The functions of simd/maths.def on Highway's vectors of float and double, with every special value of the C standard.
// Each is a function object: `template <bool kFma, class V> V call(V x)`; its kFma chooses the scalar target's
// flavour (simd/sleef-inl.h).
#if defined(PENSTOCK_SIMD_MATHS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_SIMD_MATHS_INL_H_
#undef PENSTOCK_SIMD_MATHS_INL_H_
#else
#define PENSTOCK_SIMD_MATHS_INL_H_
#endif

#include "penstock/simd/sleef-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::simd::HWY_NAMESPACE {

#undef PENSTOCK_DIRECT_1
#define PENSTOCK_DIRECT_1(name)               \
  struct Maths_##name {                       \
    template <bool kFma, class V>             \
    static HWY_INLINE V call(V x) {           \
      return sleef_##name<kFma>(x);           \
    }                                         \
  };
#undef PENSTOCK_DIRECT_2
#define PENSTOCK_DIRECT_2(name)               \
  struct Maths_##name {                       \
    template <bool kFma, class V>             \
    static HWY_INLINE V call(V a, V b) {      \
      return sleef_##name<kFma>(a, b);        \
    }                                         \
  };

PENSTOCK_DIRECT_1(acos)
PENSTOCK_DIRECT_1(acosh)
PENSTOCK_DIRECT_1(asin)
PENSTOCK_DIRECT_1(asinh)
PENSTOCK_DIRECT_1(atan)
PENSTOCK_DIRECT_2(atan2)
PENSTOCK_DIRECT_1(atanh)
PENSTOCK_DIRECT_1(cos)
PENSTOCK_DIRECT_1(cosh)
PENSTOCK_DIRECT_1(exp)
PENSTOCK_DIRECT_1(expm1)
PENSTOCK_DIRECT_2(hypot)
PENSTOCK_DIRECT_1(log)
PENSTOCK_DIRECT_1(log10)
PENSTOCK_DIRECT_1(log1p)
PENSTOCK_DIRECT_1(log2)
PENSTOCK_DIRECT_2(pow)
PENSTOCK_DIRECT_1(sin)
PENSTOCK_DIRECT_1(sinh)
PENSTOCK_DIRECT_1(tan)
PENSTOCK_DIRECT_1(tanh)

/// log(exp(a) + exp(b)) = max + log1p(exp(-|a - b|)).
struct Maths_logaddexp {
  template <bool kFma, class V>
  static HWY_INLINE V call(V a, V b) {
    const hn::DFromV<V> d;
    const auto greater = hn::Gt(a, b);
    const V high = hn::IfThenElse(greater, a, b);
    const V low = hn::IfThenElse(greater, b, a);
    // Equal infinities have no difference; a NaN stays one, in either operand.
    const V gap = hn::IfThenElse(hn::Eq(a, b), hn::Zero(d), hn::Sub(low, high));
    return hn::Add(high, Maths_log1p::call<kFma>(Maths_exp::call<kFma>(gap)));
  }
};

}  // namespace penstock::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
