// SPDX-License-Identifier: Apache-2.0
// What operations on real dtypes mean: one plain expression a row, in wider types than the kernels'. A row without one
// is compared with NumPy, by the Python tests, alone. Tests only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "penstock/op/ops.h"

namespace penstock::kernel {

__extension__ typedef __int128 Int;
__extension__ typedef unsigned __int128 Wrapping;

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

inline Int floor_quotient(Int a, Int b) {
  if (b == 0) return 0;
  const Int q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

template <class T>
T integer_pow(T a, T b) {
  if (b < 0) return a == 1 ? 1 : a == T(-1) ? static_cast<T>(b % 2 != 0 ? -1 : 1) : 0;
  Wrapping result = 1;
  Wrapping base = static_cast<Wrapping>(static_cast<Int>(a));
  for (std::uint64_t left = static_cast<std::uint64_t>(b); left != 0; left /= 2, base *= base) {
    if (left % 2 != 0) result *= base;
  }
  return static_cast<T>(result);
}

/// The integer result of an operation in exact arithmetic, wrapped on return.
template <class T>
std::optional<Int> integer_reference(Op op, Int a, Int b, Int c) {
  constexpr int kBits = sizeof(T) * 8;
  const bool in_range = b >= 0 && b < kBits;
  switch (op) {
    case Op::k_abs:
      return a < 0 ? -a : a;
    case Op::k_add:
      return a + b;
    case Op::k_bitwise_and:
      return a & b;
    case Op::k_bitwise_invert:
      return ~a;
    case Op::k_bitwise_left_shift:
      return in_range ? static_cast<Int>(static_cast<Wrapping>(a) << b) : 0;
    case Op::k_bitwise_or:
      return a | b;
    case Op::k_bitwise_right_shift:
      return in_range ? a >> b : b > 0 && a < 0 ? -1 : 0;
    case Op::k_bitwise_xor:
      return a ^ b;
    case Op::k_clip:
      return std::min(std::max(a, b), c);
    case Op::k_equal:
      return a == b;
    case Op::k_floor_divide:
      return floor_quotient(a, b);
    case Op::k_greater:
      return a > b;
    case Op::k_greater_equal:
      return a >= b;
    case Op::k_isfinite:
      return 1;
    case Op::k_isinf:
    case Op::k_isnan:
      return 0;
    case Op::k_less:
      return a < b;
    case Op::k_less_equal:
      return a <= b;
    case Op::k_maximum:
      return std::max(a, b);
    case Op::k_minimum:
      return std::min(a, b);
    case Op::k_multiply:
      return static_cast<Int>(static_cast<Wrapping>(a) * static_cast<Wrapping>(b));
    case Op::k_negative:
      return -a;
    case Op::k_not_equal:
      return a != b;
    case Op::k_pow:
      return integer_pow(static_cast<T>(a), static_cast<T>(b));
    case Op::k_remainder:
      return b == 0 ? 0 : a - floor_quotient(a, b) * b;
    case Op::k_sign:
      return (a > 0) - (a < 0);
    case Op::k_square:
      return static_cast<Int>(static_cast<Wrapping>(a) * static_cast<Wrapping>(a));
    case Op::k_subtract:
      return a - b;
    case Op::k_ceil:
    case Op::k_conj:
    case Op::k_floor:
    case Op::k_positive:
    case Op::k_real:
    case Op::k_round:
    case Op::k_trunc:
      return a;
    default:
      return std::nullopt;
  }
}

inline std::optional<bool> bool_reference(Op op, bool a, bool b, bool c) {
  switch (op) {
    case Op::k_bitwise_and:
    case Op::k_logical_and:
    case Op::k_minimum:
      return a && b;
    case Op::k_bitwise_or:
    case Op::k_logical_or:
    case Op::k_maximum:
      return a || b;
    case Op::k_bitwise_xor:
    case Op::k_logical_xor:
    case Op::k_not_equal:
      return a != b;
    case Op::k_bitwise_invert:
    case Op::k_logical_not:
      return !a;
    case Op::k_clip:
      return (a || b) && c;
    case Op::k_equal:
      return a == b;
    case Op::k_greater:
      return a && !b;
    case Op::k_greater_equal:
      return a || !b;
    case Op::k_less:
      return !a && b;
    case Op::k_less_equal:
      return !a || b;
    default:
      return std::nullopt;
  }
}

template <class T>
T maximum_reference(T a, T b) {
  if (a != a || b != b) return static_cast<T>(kNan);
  if (a == 0 && b == 0) return std::signbit(a) ? b : a;
  return a < b ? b : a;
}
template <class T>
T minimum_reference(T a, T b) {
  return -maximum_reference(-a, -b);
}

/// Python's float.__divmod__, and the array API's quotients where infinities are among the operands.
template <class T>
std::pair<T, T> divmod(T a, T b) {
  T mod = std::fmod(a, b);
  T div = (a - mod) / b;
  if (mod != 0) {
    if ((b < 0) != (mod < 0)) {
      mod += b;
      div -= 1;
    }
  } else {
    mod = std::copysign(T{0}, b);
  }
  T floored = std::floor(div);
  if (div - floored > T(0.5)) floored += 1;
  if (div == 0) floored = std::copysign(T{0}, a / b);
  if (b == 0 || std::isinf(a) || std::isinf(b)) floored = a / b;
  return {floored, mod};
}

template <class T>
std::optional<T> float_reference(Op op, T a, T b, T c) {
  switch (op) {
    case Op::k_abs:
      return std::abs(a);
    case Op::k_add:
      return a + b;
    case Op::k_ceil:
      return std::ceil(a);
    case Op::k_clip:
      return minimum_reference(maximum_reference(a, b), c);
    case Op::k_copysign:
      return std::copysign(a, b);
    case Op::k_divide:
      return a / b;
    case Op::k_equal:
      return a == b;
    case Op::k_floor:
      return std::floor(a);
    case Op::k_floor_divide:
      return divmod(a, b).first;
    case Op::k_greater:
      return a > b;
    case Op::k_greater_equal:
      return a >= b;
    case Op::k_isfinite:
      return std::isfinite(a);
    case Op::k_isinf:
      return std::isinf(a);
    case Op::k_isnan:
      return std::isnan(a);
    case Op::k_less:
      return a < b;
    case Op::k_less_equal:
      return a <= b;
    case Op::k_maximum:
      return maximum_reference(a, b);
    case Op::k_minimum:
      return minimum_reference(a, b);
    case Op::k_multiply:
      return a * b;
    case Op::k_negative:
      return -a;
    case Op::k_nextafter:
      return std::nextafter(a, b);
    case Op::k_not_equal:
      return a != b;
    case Op::k_reciprocal:
      return 1 / a;
    case Op::k_remainder:
      return divmod(a, b).second;
    case Op::k_round:
      return std::nearbyint(a);
    case Op::k_sign:
      return a > 0 ? 1 : a < 0 ? -1 : a == 0 ? 0 : a;
    case Op::k_signbit:
      return std::signbit(a);
    case Op::k_sqrt:
      return std::sqrt(a);
    case Op::k_square:
      return a * a;
    case Op::k_subtract:
      return a - b;
    case Op::k_trunc:
      return std::trunc(a);
    case Op::k_conj:
    case Op::k_positive:
    case Op::k_real:
      return a;
    default:
      return std::nullopt;
  }
}

/// The result of an operation; nothing for a row without a reference.
template <class T>
std::optional<T> reference(Op op, T a, T b, T c) {
  if constexpr (std::is_same_v<T, bool>) {
    return bool_reference(op, a, b, c);
  } else if constexpr (std::is_integral_v<T>) {
    const std::optional<Int> exact = integer_reference<T>(op, a, b, c);
    return exact ? std::optional(static_cast<T>(*exact)) : std::nullopt;
  } else {
    return float_reference(op, a, b, c);
  }
}

}  // namespace penstock::kernel
