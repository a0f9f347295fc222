// SPDX-License-Identifier: Apache-2.0
// One functor for each row of op/elementwise.def, in the order of the table: a plain scalar expression that the
// compiler vectorises for each target. What a functor does not take (maths of floats: simd/maths.def; complex maths:
// kernel/complex.def) is listed there, random numbers' functors are in kernel/random-inl.h.
//
// A functor may have a vectorising short form, in_short(), that says whether it gave what operator() gives; a block of
// elements with one where it did not goes through operator().
//
// Two's complement arithmetic goes through unsigned types, which wrap. A functor marked Modular gives the same bits for
// signed and unsigned operands, so that one loop per size serves both.
#if defined(PENSTOCK_KERNEL_FUNCTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_FUNCTORS_INL_H_
#undef PENSTOCK_KERNEL_FUNCTORS_INL_H_
#else
#define PENSTOCK_KERNEL_FUNCTORS_INL_H_
#endif

#include <bit>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include "penstock/kernel/complex-inl.h"
#include "penstock/kernel/element.h"
#include "penstock/kernel/order-inl.h"
#include "penstock/kernel/random-inl.h"
#include "penstock/simd/per_target-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

struct Modular {};

template <class T>
concept Integer = kIsInteger<T>;
template <class T>
concept Float = std::floating_point<T>;
template <class T>
concept Ordered = std::is_arithmetic_v<T>;
template <class T>
concept Complex = kIsPair<T>;

template <class T>
using Bits = UInt<sizeof(T)>;
template <class T>
inline constexpr int kBitsOf = static_cast<int>(sizeof(T)) * 8;
template <Float T>
inline constexpr Bits<T> kSignBit = Bits<T>{1} << (kBitsOf<T> - 1);

template <Float T>
HWY_INLINE T magnitude(T x) {
  return std::bit_cast<T>(static_cast<Bits<T>>(std::bit_cast<Bits<T>>(x) & ~kSignBit<T>));
}
template <Float T>
HWY_INLINE T with_sign_of(T x, T y) {
  const Bits<T> sign = std::bit_cast<Bits<T>>(y) & kSignBit<T>;
  return std::bit_cast<T>(static_cast<Bits<T>>((std::bit_cast<Bits<T>>(x) & ~kSignBit<T>) | sign));
}
/// At least as wide as unsigned int, so that products of 16-bit numbers do not overflow a signed int.
template <Integer T>
HWY_INLINE auto wide(T x) {
  return static_cast<std::common_type_t<unsigned, Bits<T>>>(x);
}
template <Integer T>
HWY_INLINE T wrapped_negative(T x) {
  return static_cast<T>(0u - wide(x));
}

// Quotients of integers; by zero 0, and the one quotient that overflows wraps.
template <Integer T>
HWY_INLINE T floor_quotient(T a, T b) {
  bool negated = false;  // T has no -1 when it is unsigned
  if constexpr (std::is_signed_v<T>) negated = b == -1;
  const bool usual = b != 0 && !negated;
  const T divisor = usual ? b : T{1};
  T q;
  if constexpr (sizeof(T) <= 4) {
    // Dividing floats vectorises, and their quotient rounds to no integer that it is not: a fraction of two numbers of
    // n bits is at least 2^-n of itself away from one.
    using F = std::conditional_t<sizeof(T) <= 2, float, double>;
    q = static_cast<T>(std::floor(static_cast<F>(a) / static_cast<F>(divisor)));
  } else {
    q = static_cast<T>(a / divisor);
    if constexpr (std::is_signed_v<T>) q = static_cast<T>(q - ((a % divisor != 0) & ((a ^ divisor) < 0)));
  }
  const T unusual = negated ? wrapped_negative(a) : T{0};
  return usual ? q : unusual;
}
template <Integer T>
HWY_INLINE T floor_remainder(T a, T b) {
  return b == 0 ? T{0} : static_cast<T>(wide(a) - wide(floor_quotient(a, b)) * wide(b));
}

// Quotients of floats, as the array API's special cases have them and, of finite numbers, Python's divmod, from the
// truncated division's remainder r, which is exact, or from the one next to it on the other side of 0.
template <Float T>
HWY_INLINE T remainder_from(T r, T b) {
  // Terms that may be 0 are chosen instead of sums: that vectorises.
  const T turned = r + ((r < 0) != (b < 0) ? b : T{0});
  return r == 0 ? with_sign_of(T{0}, b) : turned;
}
template <Float T>
HWY_INLINE T quotient_from(T r, T a, T b) {
  const T q = (a - r) / b - ((r != 0) & ((r < 0) != (b < 0)) ? T{1} : T{0});
  const T f = std::floor(q);
  const T whole = f + (q - f > T{0.5} ? T{1} : T{0});
  return q == 0 ? with_sign_of(T{0}, a / b) : whole;
}
/// fmod(a, b), or that plus or minus b on the far side of 0, in a few operations where `exact` ends up true: a quotient
/// that its type holds with room to spare. The sign of a zero is left open.
template <Float T>
HWY_INLINE T short_fmod(T a, T b, bool& exact) {
  if constexpr (sizeof(T) == 4) {
    // In double the quotient rounds to no integer that it is not, and its product with b is exact.
    const double q = std::trunc(static_cast<double>(a) / static_cast<double>(b));
    const double r = static_cast<double>(a) - q * static_cast<double>(b);
    exact = (q < 0x1p24) & (q > -0x1p24) & (r == r);
    return static_cast<float>(r);
  } else {
    // Fused, so exact. A quotient just below an integer rounds to it, which turns the remainder's sign: so it is with
    // what the caller turns.
    const double q = std::trunc(a / b);
    const double r = std::fma(-q, b, a);
    exact = (q < 0x1p31) & (q > -0x1p31) & (r == r);
    return r;
  }
}
template <class T>
inline constexpr bool kHasShortFmod = std::is_same_v<T, float> || (std::is_same_v<T, double> && HWY_NATIVE_FMA);

template <Float T>
HWY_INLINE T floor_remainder(T a, T b) {
  return remainder_from(std::fmod(a, b), b);
}
template <Float T>
HWY_INLINE T floor_quotient(T a, T b) {
  // By an infinity too the array API wants floor(a / b) rounded: 0 of the quotient's sign, where Python has -1.
  const bool divides =
      b == 0 || magnitude(a) > std::numeric_limits<T>::max() || magnitude(b) > std::numeric_limits<T>::max();
  return divides ? a / b : quotient_from(std::fmod(a, b), a, b);
}

template <Integer T>
HWY_INLINE T integer_power(T x, T exponent) {
  if constexpr (std::is_signed_v<T>) {
    if (exponent < 0) return x == 1 ? T{1} : x == -1 ? static_cast<T>((exponent & 1) != 0 ? -1 : 1) : T{0};
  }
  auto base = wide(x);
  auto result = wide(T{1});
  for (auto left = static_cast<Bits<T>>(exponent); left != 0; left = static_cast<Bits<T>>(left >> 1)) {
    if ((left & 1) != 0) result *= base;
    base *= base;
  }
  return static_cast<T>(result);
}

template <Float T>
HWY_INLINE T next_towards(T x, T y) {
  using B = Bits<T>;
  const B bits = std::bit_cast<B>(x);
  const bool away = (y > x) == (x > 0);  // away from zero: the magnitude grows
  const T step = std::bit_cast<T>(static_cast<B>(away ? bits + 1 : bits - 1));
  const T from_zero = with_sign_of(std::numeric_limits<T>::denorm_min(), y);
  const T moved = x == 0 ? from_zero : step;
  const T still = x == y ? y : moved;
  return ((x != x) | (y != y)) ? x + y : still;
}

// clang-format off
struct Abs {
  template <Integer T> T operator()(T a) const { return std::is_signed_v<T> && a < 0 ? wrapped_negative(a) : a; }
  template <Float T> T operator()(T a) const { return magnitude(a); }
};
struct Add : Modular {
  template <Integer T> T operator()(T a, T b) const { return static_cast<T>(wide(a) + wide(b)); }
  template <Float T> T operator()(T a, T b) const { return a + b; }
  template <class T> Pair<T> operator()(Pair<T> a, Pair<T> b) const { return {a.re + b.re, a.im + b.im}; }
};
struct BitwiseAnd : Modular {
  template <Ordered T> T operator()(T a, T b) const { return static_cast<T>(a & b); }
};
struct BitwiseInvert : Modular {
  template <Integer T> T operator()(T a) const { return static_cast<T>(~a); }
  template <std::same_as<bool> T> T operator()(T a) const { return !a; }
};
struct BitwiseLeftShift : Modular {
  template <Integer T> T operator()(T a, T b) const {
    return static_cast<Bits<T>>(b) < kBitsOf<T> ? static_cast<T>(wide(a) << (b & (kBitsOf<T> - 1))) : T{0};
  }
};
struct BitwiseOr : Modular {
  template <Ordered T> T operator()(T a, T b) const { return static_cast<T>(a | b); }
};
struct BitwiseRightShift {
  template <Integer T> T operator()(T a, T b) const {
    const T all = b >= 0 && a < 0 ? static_cast<T>(-1) : T{0};
    return static_cast<Bits<T>>(b) < kBitsOf<T> ? static_cast<T>(a >> (b & (kBitsOf<T> - 1))) : all;
  }
};
struct BitwiseXor : Modular {
  template <Ordered T> T operator()(T a, T b) const { return static_cast<T>(a ^ b); }
};
struct Ceil : Modular {
  template <Integer T> T operator()(T a) const { return a; }
  template <Float T> T operator()(T a) const { return std::ceil(a); }
};
struct Clip {
  template <Ordered T> T operator()(T a, T low, T high) const { return minimum(maximum(a, low), high); }
};
struct Conj : Modular {
  template <class T> T operator()(T a) const { return a; }
  template <class T> Pair<T> operator()(Pair<T> a) const { return {a.re, -a.im}; }
};
struct Copysign {
  template <Float T> T operator()(T a, T b) const { return with_sign_of(a, b); }
};
struct Divide {
  template <Float T> T operator()(T a, T b) const { return a / b; }
  template <class T> Pair<T> operator()(Pair<T> a, Pair<T> b) const { return quotient(a, b); }
};
struct Equal : Modular {
  template <Ordered T> bool operator()(T a, T b) const { return a == b; }
  template <class T> bool operator()(Pair<T> a, Pair<T> b) const { return (a.re == b.re) & (a.im == b.im); }
};
struct Floor : Modular {
  template <Integer T> T operator()(T a) const { return a; }
  template <Float T> T operator()(T a) const { return std::floor(a); }
};
struct FloorDivide {
  template <Ordered T> T operator()(T a, T b) const { return floor_quotient(a, b); }
  template <Float T> requires kHasShortFmod<T> T in_short(T a, T b, bool& exact) const {
    return quotient_from(short_fmod(a, b, exact), a, b);
  }
};
struct Greater {
  template <Ordered T> bool operator()(T a, T b) const { return a > b; }
};
struct GreaterEqual {
  template <Ordered T> bool operator()(T a, T b) const { return a >= b; }
};
struct Heaviside { template <Float T> T operator()(T a, T b) const { return a != a ? a : a == 0 ? b : T(a > 0); } };
struct Imag {
  template <class T> T operator()(Pair<T> a) const { return a.im; }
};
struct IsFinite : Modular {
  template <Integer T> bool operator()(T) const { return true; }
  template <Float T> bool operator()(T a) const { return magnitude(a) <= std::numeric_limits<T>::max(); }
  template <class T> bool operator()(Pair<T> a) const { return (*this)(a.re) && (*this)(a.im); }
};
struct IsInf : Modular {
  template <Integer T> bool operator()(T) const { return false; }
  template <Float T> bool operator()(T a) const { return magnitude(a) == std::numeric_limits<T>::infinity(); }
  template <class T> bool operator()(Pair<T> a) const { return (*this)(a.re) || (*this)(a.im); }
};
struct IsNan : Modular {
  template <Integer T> bool operator()(T) const { return false; }
  template <Float T> bool operator()(T a) const { return a != a; }
  template <class T> bool operator()(Pair<T> a) const { return (a.re != a.re) | (a.im != a.im); }
};
struct Less {
  template <Ordered T> bool operator()(T a, T b) const { return a < b; }
};
struct LessEqual {
  template <Ordered T> bool operator()(T a, T b) const { return a <= b; }
};
struct LogicalAnd {
  bool operator()(bool a, bool b) const { return a & b; }
};
struct LogicalNot {
  bool operator()(bool a) const { return !a; }
};
struct LogicalOr {
  bool operator()(bool a, bool b) const { return a | b; }
};
struct LogicalXor {
  bool operator()(bool a, bool b) const { return a != b; }
};
struct Maximum {
  template <Ordered T> T operator()(T a, T b) const { return maximum(a, b); }
};
struct Minimum {
  template <Ordered T> T operator()(T a, T b) const { return minimum(a, b); }
};
struct Multiply : Modular {
  template <Integer T> T operator()(T a, T b) const { return static_cast<T>(wide(a) * wide(b)); }
  template <Float T> T operator()(T a, T b) const { return a * b; }
  template <class T> Pair<T> operator()(Pair<T> a, Pair<T> b) const { return product(a, b); }
};
struct Negative : Modular {
  template <Integer T> T operator()(T a) const { return wrapped_negative(a); }
  template <Float T> T operator()(T a) const { return -a; }
  template <class T> Pair<T> operator()(Pair<T> a) const { return {-a.re, -a.im}; }
};
struct NextAfter {
  template <Float T> T operator()(T a, T b) const { return next_towards(a, b); }
};
struct NotEqual : Modular {
  template <Ordered T> bool operator()(T a, T b) const { return a != b; }
  template <class T> bool operator()(Pair<T> a, Pair<T> b) const { return (a.re != b.re) | (a.im != b.im); }
};
struct Positive : Modular {
  template <class T> T operator()(T a) const { return a; }
};
struct Pow {
  template <Integer T> T operator()(T a, T b) const { return integer_power(a, b); }
};
struct Real : Modular {
  template <class T> T operator()(T a) const { return a; }
  template <class T> T operator()(Pair<T> a) const { return a.re; }
};
struct Reciprocal {
  template <Float T> T operator()(T a) const { return 1 / a; }
  template <class T> Pair<T> operator()(Pair<T> a) const { return quotient(Pair<T>{1, 0}, a); }
};
struct Remainder {
  template <Ordered T> T operator()(T a, T b) const { return floor_remainder(a, b); }
  template <Float T> requires kHasShortFmod<T> T in_short(T a, T b, bool& exact) const {
    return remainder_from(short_fmod(a, b, exact), b);
  }
};
struct Round : Modular {
  template <Integer T> T operator()(T a) const { return a; }
  template <Float T> T operator()(T a) const { return std::rint(a); }
  template <class T> Pair<T> operator()(Pair<T> a) const { return {std::rint(a.re), std::rint(a.im)}; }
};
struct Sign {
  template <Integer T> T operator()(T a) const { return static_cast<T>((a > 0) - (a < 0)); }
  template <Float T> T operator()(T a) const { return a != a ? a : static_cast<T>((a > 0) - (a < 0)); }
};
struct SignBit {
  template <Float T> bool operator()(T a) const { return sign_bits(a) < 0; }
};
struct Sqrt {
  template <Float T> T operator()(T a) const { return std::sqrt(a); }
};
struct Square : Modular {
  template <class T> T operator()(T a) const { return Multiply{}(a, a); }
};
struct Subtract : Modular {
  template <Integer T> T operator()(T a, T b) const { return static_cast<T>(wide(a) - wide(b)); }
  template <Float T> T operator()(T a, T b) const { return a - b; }
  template <class T> Pair<T> operator()(Pair<T> a, Pair<T> b) const { return {a.re - b.re, a.im - b.im}; }
};
struct Trunc : Modular {
  template <Integer T> T operator()(T a) const { return a; }
  template <Float T> T operator()(T a) const { return std::trunc(a); }
};
struct Where {
  // By masks: a conditional would move the loads into its branches, which does not vectorise.
  template <Integer T> T operator()(bool condition, T a, T b) const {
    return static_cast<T>(b ^ ((a ^ b) & static_cast<T>(0u - static_cast<Bits<T>>(condition))));
  }
  template <class T> Pair<T> operator()(bool condition, Pair<T> a, Pair<T> b) const {
    return {std::bit_cast<T>((*this)(condition, std::bit_cast<Bits<T>>(a.re), std::bit_cast<Bits<T>>(b.re))),
            std::bit_cast<T>((*this)(condition, std::bit_cast<Bits<T>>(a.im), std::bit_cast<Bits<T>>(b.im)))};
  }
};
// clang-format on

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
