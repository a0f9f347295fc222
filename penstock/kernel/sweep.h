// SPDX-License-Identifier: Apache-2.0
// What the kernel tests sweep: every target, sizes around a vector, misaligned operands, special values. Tests only.
#pragma once

#include <bit>
#include <complex>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/kernel/table.h"
#include "penstock/simd/target.h"

namespace penstock::kernel {

/// Runs f(table) under every target of this machine, the scalar one first.
template <class F>
void for_targets(const F& f) {
  for (const simd::Target each : simd::targets()) {
    simd::force_target(each);
    f(table());
  }
  simd::force_target(std::nullopt);
}

/// A target's table; the forced target is released again.
inline const Table& table_of(simd::Target target) {
  simd::force_target(target);
  const Table& found = table();
  simd::force_target(std::nullopt);
  return found;
}

/// Sizes around the number of elements in the widest vector.
inline std::vector<std::int64_t> sizes_for(std::int64_t itemsize) {
  const std::int64_t n = 64 / itemsize;
  return {0, 1, n - 1, n, n + 1, 4 * n + 3};
}

/// Room for n elements that starts `skew` elements after a 64-byte boundary, between bytes that must stay as they are.
class Operand {
 public:
  Operand(std::int64_t n, std::int64_t itemsize, std::int64_t skew = 0)
      : bytes_(static_cast<std::size_t>(n * itemsize)),
        store_(bytes_ + 64 * 4 + static_cast<std::size_t>(skew * itemsize), kFill) {
    const auto base = reinterpret_cast<std::uintptr_t>(store_.data());
    start_ = (64 - base % 64) % 64 + 64 + static_cast<std::size_t>(skew * itemsize);
  }
  void* data() { return store_.data() + start_; }
  const void* data() const { return store_.data() + start_; }
  template <class T>
  T* as() {
    return static_cast<T*>(data());
  }
  std::size_t bytes() const { return bytes_; }
  /// Whether nothing outside the n elements was written.
  bool intact() const {
    for (std::size_t i = 0; i < store_.size(); ++i) {
      if ((i < start_ || i >= start_ + bytes_) && store_[i] != kFill) return false;
    }
    return true;
  }

 private:
  static constexpr unsigned char kFill = 0xa5;
  std::size_t bytes_;
  std::vector<unsigned char> store_;
  std::size_t start_ = 0;
};

/// Values that break kernels: ends, zeros of both signs, infinities, NaN, halves, powers of two at the types' borders.
template <class T>
std::vector<T> special_values() {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_same_v<T, bool>) {
    return {false, true};
  } else if constexpr (std::is_same_v<T, Half>) {
    std::vector<Half> all;
    for (const unsigned bits : {0u, 0x8000u, 1u, 0x8001u, 0x3ffu, 0x400u, 0x3c00u, 0xbc00u, 0x3800u, 0x4248u, 0x7bffu,
                                0xfbffu, 0x7c00u, 0xfc00u, 0x7e00u}) {
      all.push_back(Half{static_cast<std::uint16_t>(bits)});
    }
    return all;
  } else if constexpr (std::is_floating_point_v<T>) {
    const T inf = Limits::infinity();
    std::vector<T> all = {0,
                          1,
                          2,
                          3,
                          T(0.5),
                          T(1.5),
                          T(2.5),
                          T(1e-3),
                          T(0.1),
                          T(7.25),
                          127,
                          128,
                          129,
                          255,
                          256,
                          32767,
                          32768,
                          65519,
                          65520,
                          65536,
                          T(2147483647),
                          T(2147483648),
                          T(4294967295),
                          T(4294967296),
                          T(9223372036854775807),
                          T(18446744073709551615u),
                          T(4503599627370495.5),
                          T(1e30),
                          Limits::min(),
                          Limits::denorm_min(),
                          Limits::max(),
                          Limits::epsilon(),
                          inf};
    for (std::size_t i = all.size(); i-- > 0;) all.push_back(-all[i]);
    all.push_back(Limits::quiet_NaN());
    return all;
  } else if constexpr (std::is_integral_v<T>) {
    return {0,
            1,
            2,
            3,
            7,
            8,
            31,
            63,
            100,
            T(-1),
            T(-2),
            T(-3),
            T(-8),
            Limits::min(),
            Limits::max(),
            T(Limits::min() + 1),
            T(Limits::max() - 1),
            T(Limits::max() / 2),
            127,
            T(128),
            T(255)};
  } else {
    using R = typename T::value_type;
    std::vector<T> all;
    const R inf = std::numeric_limits<R>::infinity();
    const R nan = std::numeric_limits<R>::quiet_NaN();
    for (const R re : {R(0), R(-0.0), R(1), R(-1), R(0.5), R(3), R(1e-5), R(1e30), R(-7.25), inf, -inf, nan}) {
      for (const R im : {R(0), R(-0.0), R(1), R(-1), R(-0.5), R(2), R(1e-5), R(1e30), inf, -inf, nan})
        all.push_back({re, im});
    }
    return all;
  }
}

/// n values: now special ones, now random ones of small and of any size.
template <class T>
void fill_values(T* to, std::int64_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  static const std::vector<T> special = special_values<T>();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t draw = random();
    const bool small = draw % 4 == 1;
    if (draw % 2 == 0) {
      to[i] = special[(draw >> 8) % special.size()];
    } else if constexpr (std::is_same_v<T, bool>) {
      to[i] = (draw >> 9 & 1) != 0;
    } else if constexpr (std::is_same_v<T, Half>) {
      to[i] = Half{static_cast<std::uint16_t>(draw >> 16)};
    } else if constexpr (std::is_integral_v<T>) {
      to[i] = small ? static_cast<T>(draw >> 20 & 15) : static_cast<T>(random());
    } else {
      const auto any = [&](auto zero) {
        using R = decltype(zero);
        using B = std::conditional_t<sizeof(R) == 4, std::uint32_t, std::uint64_t>;
        const R value = small ? static_cast<R>(static_cast<double>(random() >> 11) * 0x1p-49 - 8)
                              : std::bit_cast<R>(static_cast<B>(random()));
        return value == value ? value : std::numeric_limits<R>::quiet_NaN();
      };
      if constexpr (std::is_floating_point_v<T>) {
        to[i] = any(T{});
      } else {
        to[i] = T(any(typename T::value_type{}), any(typename T::value_type{}));
      }
    }
  }
}

inline void fill_values(DType t, void* to, std::int64_t n, std::uint64_t seed) {
  visit(t, [&]<class T>() { fill_values(static_cast<T*>(to), n, seed); });
}

/// Whether two elements have the same bits; all NaNs count as equal.
template <class T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, Half>) {
    const auto is_nan = [](Half h) { return (h.bits & 0x7fff) > 0x7c00; };
    return a.bits == b.bits || (is_nan(a) && is_nan(b));
  } else if constexpr (std::is_floating_point_v<T>) {
    return (a != a && b != b) || std::memcmp(&a, &b, sizeof a) == 0;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return a == b;
  } else {
    return same(a.real(), b.real()) && same(a.imag(), b.imag());
  }
}

template <class T>
std::string text_of(const T& a) {
  if constexpr (std::is_same_v<T, Half>) {
    return cat("half ", a.bits);
  } else if constexpr (std::is_arithmetic_v<T>) {
    std::ostringstream out;
    out.precision(17);
    out << +a;
    return out.str();
  } else {
    return cat("(", text_of(a.real()), ", ", text_of(a.imag()), ")");
  }
}

/// The first of n elements where a and b differ, as text; "" where all are the same.
inline std::string difference(DType t, const void* a, const void* b, std::int64_t n) {
  return visit(t, [&]<class T>() -> std::string {
    for (std::int64_t i = 0; i < n; ++i) {
      const T& x = static_cast<const T*>(a)[i];
      const T& y = static_cast<const T*>(b)[i];
      if (!same(x, y)) return cat("element ", i, ": ", text_of(x), " against ", text_of(y));
    }
    return "";
  });
}

}  // namespace penstock::kernel
