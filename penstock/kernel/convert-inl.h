// SPDX-License-Identifier: Apache-2.0
// One element converted to another type: out of range saturates, NaN becomes 0, floats truncate towards 0, a complex
// number loses its imaginary part, to bool is x != 0. Every expression is total: no conversion is undefined in C++.
#if defined(PENSTOCK_KERNEL_CONVERT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_CONVERT_INL_H_
#undef PENSTOCK_KERNEL_CONVERT_INL_H_
#else
#define PENSTOCK_KERNEL_CONVERT_INL_H_
#endif

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "penstock/kernel/element.h"
#include "penstock/simd/per_target-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

// binary16:  s eeeee mmmmmmmmmm      bias 15
// binary32:  s eeeeeeee mmmmmmmmmmmmmmmmmmmmmmm      bias 127

HWY_INLINE float half_to_float(Half half) {
  const std::uint32_t bits = half.bits;
  const std::uint32_t shifted = (bits & 0x7fffu) << 13;
  // The exponent is off by 112; the product rescales subnormals too.
  const std::uint32_t finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(shifted) * 0x1p112f);
  const std::uint32_t value = (bits & 0x7c00u) == 0x7c00u ? shifted | 0x7f800000u : finite;
  return std::bit_cast<float>(value | (bits & 0x8000u) << 16);
}

/// Rounds to nearest, ties to even; from 65520 on infinity.
HWY_INLINE Half float_to_half(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t size = bits & 0x7fffffffu;
  const std::uint32_t rounded = size + 0xfffu + ((size >> 13) & 1u);
  const std::uint32_t normal = (rounded - (112u << 23)) >> 13;
  // Below 2^-14 the half's last place is 2^-24: that of a float in [0.5, 1), so adding 0.5 rounds to it.
  const std::uint32_t small = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5f) - 0x3f000000u;
  const std::uint32_t finite = size < 0x38800000u ? small : normal;
  const std::uint32_t infinite = size > 0x7f800000u ? 0x7e00u : 0x7c00u;
  const std::uint32_t value = size >= 0x477ff000u ? infinite : finite;
  return Half{static_cast<std::uint16_t>(value | (bits >> 16 & 0x8000u))};
}

/// To the nearest float towards which rounding once more gives what rounding x once gives: round to odd.
HWY_INLINE float double_to_odd_float(double x) {
  const float nearest = static_cast<float>(x);
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(nearest);
  const double back = nearest;
  const double x_size = x < 0 ? -x : x;
  const double back_size = back < 0 ? -back : back;
  const std::uint32_t other = back_size < x_size ? bits + 1 : bits - 1;
  const bool keep = (back == x) | (x != x) | ((bits & 1u) != 0);
  return std::bit_cast<float>(keep ? bits : other);
}

/// Saturating conversion between integers; the clamps vanish where `To` holds every `From`.
template <class To, class From>
HWY_INLINE To integer_to_integer(From x) {
  constexpr From kZero = 0;
  if constexpr (std::is_signed_v<From> && !std::is_signed_v<To>) {
    x = x < kZero ? kZero : x;
  } else if constexpr (std::is_signed_v<From> && sizeof(To) < sizeof(From)) {
    constexpr From kLow = std::numeric_limits<To>::min();
    x = x < kLow ? kLow : x;
  }
  constexpr int kToBits = std::numeric_limits<To>::digits;
  if constexpr (kToBits < std::numeric_limits<From>::digits) {
    constexpr From kHigh = static_cast<From>(std::numeric_limits<To>::max());
    x = x > kHigh ? kHigh : x;
  }
  return static_cast<To>(x);
}

/// Saturating conversion of a float. Types of at most 16 bits go through a clamp and int32, wider ones compare with
/// the powers of two that bound the type, which any float holds.
template <class To, class From>
HWY_INLINE To float_to_integer(From x) {
  using Limits = std::numeric_limits<To>;
  if constexpr (sizeof(To) <= 2) {
    constexpr From kLow = Limits::min();
    constexpr From kHigh = Limits::max();
    const From low = x > kLow ? x : kLow;
    const From clamped = low < kHigh ? low : kHigh;
    return static_cast<To>(static_cast<std::int32_t>(x != x ? From{0} : clamped));
  } else {
    constexpr From kEnd = static_cast<From>(UInt<sizeof(To)>{1} << (Limits::digits - 1)) * 2;
    constexpr From kLow = std::is_signed_v<To> ? -kEnd : From{0};
    const bool inside = (x >= kLow) & (x < kEnd);
    const To value = static_cast<To>(inside ? x : From{0});
    const To high = x >= kEnd ? Limits::max() : value;
    return x < kLow ? Limits::min() : high;
  }
}

template <class To, class From>
HWY_INLINE To convert(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (kIsPair<From> && kIsPair<To>) {
    using T = decltype(To::re);
    return {static_cast<T>(x.re), static_cast<T>(x.im)};
  } else if constexpr (kIsPair<From>) {
    if constexpr (std::is_same_v<To, bool>) {
      return (x.re != 0) | (x.im != 0);
    } else {
      return convert<To>(x.re);
    }
  } else if constexpr (kIsPair<To>) {
    return {convert<decltype(To::re)>(x), 0};
  } else if constexpr (std::is_same_v<From, Half>) {
    return convert<To>(half_to_float(x));
  } else if constexpr (std::is_same_v<To, Half>) {
    if constexpr (std::is_same_v<From, double>) {
      return float_to_half(double_to_odd_float(x));
    } else {
      // Integers that a float rounds lie beyond the halves, which all become infinity.
      return float_to_half(static_cast<float>(x));
    }
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != 0;
  } else if constexpr (kIsInteger<From> && kIsInteger<To>) {
    return integer_to_integer<To>(x);
  } else if constexpr (std::is_floating_point_v<From> && kIsInteger<To>) {
    return float_to_integer<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
