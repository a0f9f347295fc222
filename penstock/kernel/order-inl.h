// SPDX-License-Identifier: Apache-2.0
// minimum and maximum with NaN propagated and -0 < +0, for scalars and for the compiler's vectors alike.
#if defined(PENSTOCK_KERNEL_ORDER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_ORDER_INL_H_
#undef PENSTOCK_KERNEL_ORDER_INL_H_
#else
#define PENSTOCK_KERNEL_ORDER_INL_H_
#endif

#include <bit>
#include <type_traits>

#include "penstock/kernel/element.h"
#include "penstock/simd/per_target-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

/// The element type of a vector; a scalar is its own.
template <class V>
struct LaneTraits {
  using Type = std::remove_cvref_t<decltype(std::declval<V&>()[0])>;
};
template <class V>
requires std::is_arithmetic_v<V>
struct LaneTraits<V> {
  using Type = V;
};
template <class V>
using Lane = typename LaneTraits<V>::Type;

/// Below zero exactly when x's sign bit is set.
template <class V>
HWY_INLINE auto sign_bits(V x) {
  if constexpr (std::is_arithmetic_v<V>) {
    return std::bit_cast<std::make_signed_t<UInt<sizeof(V)>>>(x);
  } else {
    return reinterpret_cast<decltype(x < x)>(x);
  }
}

/// Whether x goes before v in a minimum; not when both are the same.
template <class V>
HWY_INLINE auto below(V x, V v) {
  if constexpr (std::is_floating_point_v<Lane<V>>) {
    return (x < v) | (x != x) | ((x == v) & (sign_bits(x) < 0));
  } else {
    return x < v;
  }
}

/// Whether x goes before v in a maximum.
template <class V>
HWY_INLINE auto above(V x, V v) {
  if constexpr (std::is_floating_point_v<Lane<V>>) {
    return (x > v) | (x != x) | ((x == v) & (sign_bits(x) >= 0));
  } else {
    return x > v;
  }
}

template <class V>
HWY_INLINE V minimum(V v, V x) {
  if constexpr (std::is_same_v<V, bool>) return v & x;
  return below(x, v) ? x : v;
}

template <class V>
HWY_INLINE V maximum(V v, V x) {
  if constexpr (std::is_same_v<V, bool>) return v | x;
  return above(x, v) ? x : v;
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
