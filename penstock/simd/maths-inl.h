// SPDX-License-Identifier: Apache-2.0
// The functions of simd/maths.def on Highway's vectors of float and double, with every special value of the C standard.
// Each is a function object: `template <bool kFma, class V> V call(V x)`; its kFma chooses the scalar target's
// flavour (simd/sleef-inl.h). Some have call_each() too, which takes kAtOnce vectors, in place.
#if defined(PENSTOCK_SIMD_MATHS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_SIMD_MATHS_INL_H_
#undef PENSTOCK_SIMD_MATHS_INL_H_
#else
#define PENSTOCK_SIMD_MATHS_INL_H_
#endif

#include "penstock/simd/exp-inl.h"
#include "penstock/simd/library.h"
#include "penstock/simd/log-inl.h"
#include "penstock/simd/sleef-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::simd::HWY_NAMESPACE {

#undef PENSTOCK_DIRECT_1
#define PENSTOCK_DIRECT_1(name)     \
  struct Maths_##name {             \
    template <bool kFma, class V>   \
    static HWY_INLINE V call(V x) { \
      return sleef_##name<kFma>(x); \
    }                               \
  };
#undef PENSTOCK_DIRECT_2
#define PENSTOCK_DIRECT_2(name)          \
  struct Maths_##name {                  \
    template <bool kFma, class V>        \
    static HWY_INLINE V call(V a, V b) { \
      return sleef_##name<kFma>(a, b);   \
    }                                    \
  };

PENSTOCK_DIRECT_1(acos)
PENSTOCK_DIRECT_1(asin)
PENSTOCK_DIRECT_1(atan)
PENSTOCK_DIRECT_1(cos)
PENSTOCK_DIRECT_1(expm1)
PENSTOCK_DIRECT_1(log10)
PENSTOCK_DIRECT_1(log2)
PENSTOCK_DIRECT_2(pow)
PENSTOCK_DIRECT_1(sin)

/// A limit for each of the two types.
template <class V>
HWY_INLINE V limit(double for_floats, double for_doubles) {
  const hn::DFromV<V> d;
  using T = hn::TFromD<decltype(d)>;
  return hn::Set(d, static_cast<T>(sizeof(T) == 4 ? for_floats : for_doubles));
}

/// `got` with the lanes of `outside` taken from the C library: rare, and exact about overflow and underflow.
template <class V, class M>
HWY_NOINLINE V from_library(M outside, V got, V a, V b, double (*f)(double, double)) {
  const hn::DFromV<V> d;
  using T = hn::TFromD<decltype(d)>;
  T results[HWY_MAX_BYTES];
  T lanes_a[HWY_MAX_BYTES];
  T lanes_b[HWY_MAX_BYTES];
  T marks[HWY_MAX_BYTES];
  hn::StoreU(got, d, results);
  hn::StoreU(a, d, lanes_a);
  hn::StoreU(b, d, lanes_b);
  hn::StoreU(hn::IfThenElseZero(outside, hn::Set(d, T{1})), d, marks);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) {
    if (marks[i] != 0) results[i] = static_cast<T>(f(lanes_a[i], lanes_b[i]));
  }
  return hn::LoadU(d, results);
}
template <class V, class M>
HWY_INLINE V repaired(M outside, V got, V a, V b, double (*f)(double, double)) {
  return HWY_LIKELY(hn::AllFalse(hn::DFromV<V>(), outside)) ? got : from_library(outside, got, a, b, f);
}

/// An odd function with slope 1 is x itself where the next term of its series is below a quarter of the last place;
/// SLEEF's loses the last place there.
template <class V>
HWY_INLINE V odd_near_zero(V x, V got) {
  return hn::IfThenElse(hn::Lt(hn::Abs(x), limit<V>(0x1p-13, 0x1p-28)), x, got);
}

/// Whether lanes are doubles that a target with FMA computes.
template <bool kFma, class V>
constexpr bool kFusedDoubles = sizeof(hn::TFromD<hn::DFromV<V>>) == 8 && kFma&& HWY_TARGET != HWY_SSE4;

#undef PENSTOCK_OWN
#define PENSTOCK_OWN(name)                                                   \
  struct Maths_##name {                                                      \
    template <bool kFma, class V>                                            \
    static constexpr int kAtOnce = kFusedDoubles<kFma, V> ? kSideBySide : 1; \
    template <bool kFma, int kVectors, class V>                              \
    static HWY_INLINE void call_each(V* x) {                                 \
      name##_of_doubles<kVectors>(x);                                        \
    }                                                                        \
    template <bool kFma, class V>                                            \
    static HWY_INLINE V call(V x) {                                          \
      if constexpr (kFusedDoubles<kFma, V>) {                                \
        name##_of_doubles<1>(&x);                                            \
        return x;                                                            \
      } else {                                                               \
        return sleef_##name<kFma>(x);                                        \
      }                                                                      \
    }                                                                        \
  };
PENSTOCK_OWN(exp)
PENSTOCK_OWN(log)

struct Maths_acosh {
  template <bool kFma, class V>
  static HWY_INLINE V call(V x) {
    // Squares overflow.
    return repaired(hn::Gt(x, limit<V>(0x1p62, 0x1p510)), sleef_acosh<kFma>(x), x, x, library_acosh);
  }
};
struct Maths_asinh {
  template <bool kFma, class V>
  static HWY_INLINE V call(V x) {
    const V got = odd_near_zero(x, sleef_asinh<kFma>(x));
    return repaired(hn::Gt(hn::Abs(x), limit<V>(0x1p62, 0x1p510)), got, x, x, library_asinh);
  }
};
struct Maths_atan2 {
  template <bool kFma, class V>
  static HWY_INLINE V call(V y, V x) {
    const V got = sleef_atan2<kFma>(y, x);
    // The quotient's low half underflows.
    const V size = hn::Abs(got);
    auto outside = hn::And(hn::Lt(size, limit<V>(0x1p-100, 0x1p-960)), hn::Ne(y, hn::Zero(hn::DFromV<V>())));
    // Without FMA the polynomial is up to 1.02 places off where |y| is about |x|.
    constexpr bool kHasFma = kFma && HWY_TARGET != HWY_SSE4;
    if constexpr (!kHasFma && sizeof(hn::TFromD<hn::DFromV<V>>) == 8) {
      const auto diagonal = hn::And(hn::Gt(size, limit<V>(0, 0.76)), hn::Lt(size, limit<V>(0, 0.81)));
      outside = hn::Or(outside, diagonal);
    }
    return repaired(outside, got, y, x, library_atan2);
  }
};
struct Maths_atanh {
  template <bool kFma, class V>
  static HWY_INLINE V call(V x) {
    return odd_near_zero(x, sleef_atanh<kFma>(x));
  }
};
struct Maths_cosh {
  template <bool kFma, class V>
  static HWY_INLINE V call(V x) {
    // exp overflows before its half does.
    return repaired(hn::Gt(hn::Abs(x), limit<V>(88, 709)), sleef_cosh<kFma>(x), x, x, library_cosh);
  }
};
struct Maths_hypot {
  template <bool kFma, class V>
  static HWY_INLINE V call(V a, V b) {
    const V got = sleef_hypot<kFma>(a, b);
    // The low halves of squares underflow.
    const auto small = hn::And(hn::Lt(got, limit<V>(0x1p-100, 0x1p-960)), hn::Ne(got, hn::Zero(hn::DFromV<V>())));
    return repaired(small, got, a, b, library_hypot);
  }
};
struct Maths_log1p {
  template <bool kFma, class V>
  static HWY_INLINE V call(V x) {
    // Next to 0 it is x itself, which SLEEF's misses among the smallest numbers.
    const V got = hn::IfThenElse(hn::Lt(hn::Abs(x), limit<V>(0x1p-26, 0x1p-55)), x, sleef_log1p<kFma>(x));
    return repaired(hn::Gt(x, limit<V>(0x1p120, 0x1p1000)), got, x, x, library_log1p);
  }
};
struct Maths_sinh {
  template <bool kFma, class V>
  static HWY_INLINE V call(V x) {
    const V got = odd_near_zero(x, sleef_sinh<kFma>(x));
    return repaired(hn::Gt(hn::Abs(x), limit<V>(88, 709)), got, x, x, library_sinh);
  }
};
struct Maths_tan {
  template <bool kFma, class V>
  static HWY_INLINE V call(V x) {
    return odd_near_zero(x, sleef_tan<kFma>(x));
  }
};
struct Maths_tanh {
  template <bool kFma, class V>
  static HWY_INLINE V call(V x) {
    return odd_near_zero(x, sleef_tanh<kFma>(x));
  }
};

/// log(exp(a) + exp(b)) = high + log1p(exp(low - high)).
struct Maths_logaddexp {
  template <bool kFma, class V>
  static HWY_INLINE V call(V a, V b) {
    const hn::DFromV<V> d;
    const V zero = hn::Zero(d);
    const auto greater = hn::Gt(a, b);
    const V high = hn::IfThenElse(greater, a, b);
    const V low = hn::IfThenElse(greater, b, a);
    // Equal infinities have no difference; a NaN stays one, in either operand.
    const V gap = hn::IfThenElse(hn::Eq(a, b), zero, hn::Sub(low, high));
    // What rounding took from the gap: it counts where `high` is near 0.
    const V back = hn::Sub(gap, low);
    const V lost = hn::Sub(hn::Sub(low, hn::Sub(gap, back)), hn::Add(high, back));
    const V rest = hn::IfThenElse(hn::Lt(hn::Abs(lost), hn::Set(d, 1)), lost, zero);
    const V ratio = Maths_exp::call<kFma>(gap);
    return hn::Add(high, Maths_log1p::call<kFma>(hn::Add(ratio, hn::Mul(ratio, rest))));
  }
};

}  // namespace penstock::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
