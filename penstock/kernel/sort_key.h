// SPDX-License-Identifier: Apache-2.0
// Elements as unsigned numbers of the same order, which sorts and selections work with.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "penstock/kernel/element.h"
#include "penstock/type/dtype.h"

namespace penstock::kernel {

template <class T>
using Key = UInt<sizeof(T)>;

/// Whether elements have an order that keys have too: not complex numbers; nothing computes in float16.
template <class T>
constexpr bool kSorts = !std::is_same_v<T, Half> && std::is_arithmetic_v<T>;

template <class K>
constexpr K kSign = K(1) << (8 * sizeof(K) - 1);

/// Whether the bits of a float are those of a NaN: by integers, which loops over them compare in vectors.
template <class T>
bool is_nan(Key<T> bits) {
  using Signed = std::make_signed_t<Key<T>>;
  constexpr auto kInfinity = std::bit_cast<Signed>(std::numeric_limits<T>::infinity());
  return static_cast<Signed>(bits & ~kSign<Key<T>>) > kInfinity;
}

/// All bits where the first one is set, else none.
template <class K>
K spread_sign(K bits) {
  return static_cast<K>(static_cast<std::make_signed_t<K>>(bits) >> (8 * sizeof(K) - 1));
}

/// An unsigned number in the order of the elements: NaN is the greatest. The sign of a NaN is lost.
template <class T>
Key<T> key_of(T value) {
  using K = Key<T>;
  const K bits = std::bit_cast<K>(value);
  if constexpr (std::is_floating_point_v<T>) {
    const auto turned = static_cast<K>(bits ^ (spread_sign(bits) | kSign<K>));
    return is_nan<T>(bits) ? static_cast<K>(bits | kSign<K>) : turned;
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<K>(bits ^ kSign<K>);
  } else {
    return bits;
  }
}

template <class T>
T value_of(Key<T> key) {
  using K = Key<T>;
  if constexpr (std::is_floating_point_v<T>)
    return std::bit_cast<T>(static_cast<K>(key ^ (static_cast<K>(~spread_sign(key)) | kSign<K>)));
  else if constexpr (std::is_signed_v<T>)
    return std::bit_cast<T>(static_cast<K>(key ^ kSign<K>));
  else if constexpr (std::is_same_v<T, bool>)
    return key != 0;
  else
    return key;
}

/// Descending, all but NaN are turned round.
template <class T, bool kDescending>
Key<T> ordered_key(T value) {
  const Key<T> key = key_of(value);
  if constexpr (!kDescending) {
    return key;
  } else if constexpr (std::is_floating_point_v<T>) {
    return is_nan<T>(std::bit_cast<Key<T>>(value)) ? key : static_cast<Key<T>>(~key);
  } else {
    return static_cast<Key<T>>(~key);
  }
}

template <class T, bool kDescending>
T ordered_value(Key<T> key) {
  if constexpr (!kDescending) {
    return value_of<T>(key);
  } else if constexpr (std::is_floating_point_v<T>) {
    // Keys of NaN lie above that of the least number, turned round: minus infinity.
    constexpr auto kLast = std::bit_cast<Key<T>>(-std::numeric_limits<T>::infinity());
    return value_of<T>(key > kLast ? key : static_cast<Key<T>>(~key));
  } else {
    return value_of<T>(static_cast<Key<T>>(~key));
  }
}

}  // namespace penstock::kernel
