// SPDX-License-Identifier: Apache-2.0
// Elements as unsigned numbers of the same order, which sorts and selections work with.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "penstock/type/dtype.h"

namespace penstock::kernel {

template <std::size_t kBytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using Type = std::uint8_t;
};
template <>
struct UnsignedOf<2> {
  using Type = std::uint16_t;
};
template <>
struct UnsignedOf<4> {
  using Type = std::uint32_t;
};
template <>
struct UnsignedOf<8> {
  using Type = std::uint64_t;
};
template <class T>
using Key = typename UnsignedOf<sizeof(T)>::Type;

/// Whether elements have an order that keys have too: not complex numbers; nothing computes in float16.
template <class T>
constexpr bool kSorts = !std::is_same_v<T, Half> && std::is_arithmetic_v<T>;

/// An unsigned number in the order of the elements: NaN is the greatest. The sign of a NaN is lost.
template <class T>
Key<T> key_of(T value) {
  using K = Key<T>;
  constexpr K kSign = K(1) << (8 * sizeof(T) - 1);
  const K bits = std::bit_cast<K>(value);
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return static_cast<K>(bits | kSign);
    return static_cast<K>((bits & kSign) != 0 ? ~bits : bits | kSign);
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<K>(bits ^ kSign);
  } else {
    return bits;
  }
}

template <class T>
T value_of(Key<T> key) {
  using K = Key<T>;
  constexpr K kSign = K(1) << (8 * sizeof(T) - 1);
  if constexpr (std::is_floating_point_v<T>)
    return std::bit_cast<T>(static_cast<K>((key & kSign) != 0 ? key ^ kSign : ~key));
  else if constexpr (std::is_signed_v<T>)
    return std::bit_cast<T>(static_cast<K>(key ^ kSign));
  else if constexpr (std::is_same_v<T, bool>)
    return key != 0;
  else
    return key;
}

}  // namespace penstock::kernel
