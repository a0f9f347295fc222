// SPDX-License-Identifier: Apache-2.0
// Special values are those of the C standard's Annex G, which the C library keeps, and where it differs (expm1 of -0,
// tanh beside infinity) the array API's. complex64 computes in double and rounds once.
#include "penstock/kernel/complex.h"

#include <cmath>
#include <complex>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numbers>

namespace penstock::kernel {
namespace {

using Complex = std::complex<double>;

Complex log1p_of(Complex z) {
  const double x = z.real();
  const double y = z.imag();
  // Far from 0 there is nothing to cancel, and the squares below would overflow.
  if (!(std::abs(x) < 1e100 && std::abs(y) < 1e100)) return std::log(Complex(1 + x, y));
  // |1 + z|^2 - 1 = x (x + 2) + y^2; the extra bits of a long double hold what cancels on the unit circle around -1.
  const long double wide = x;
  const long double square = wide * (wide + 2) + static_cast<long double>(y) * y;
  const double size = square > -0.5L ? static_cast<double>(std::log1p(square) / 2) : std::log(std::hypot(1 + x, y));
  return {size, std::atan2(y, 1 + x)};
}

Complex expm1_of(Complex z) {
  const double x = z.real();
  const double y = z.imag();
  // Where nothing cancels, and for the special values, the C library's exp is right.
  if (!(std::abs(x) < 1 && std::abs(y) < 1e300)) {
    const Complex e = std::exp(z);
    return {e.real() - 1, e.imag()};
  }
  const double half = std::sin(y / 2);
  // 0 is added for the array API's +0 of x = -0.
  return {0.0 + std::expm1(x) * std::cos(y) - 2 * half * half, y == 0 ? y : std::exp(x) * std::sin(y)};
}

Complex tanh_of(Complex z) {
  const double x = z.real();
  const double y = z.imag();
  // The array API's zero has the sign of y, not that of sin(2 y).
  if (std::isinf(x) && std::isfinite(y)) return {std::copysign(1.0, x), std::copysign(0.0, y)};
  return std::tanh(z);
}

Complex product(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

Complex reciprocal(Complex z) {
  const double x = z.real();
  const double y = z.imag();
  if (std::abs(x) >= std::abs(y)) {
    const double ratio = y / x;
    const double whole = x + y * ratio;
    return {1 / whole, -ratio / whole};
  }
  const double ratio = x / y;
  const double whole = y + x * ratio;
  return {ratio / whole, -1 / whole};
}

Complex integer_power(Complex base, int exponent) {
  Complex result(1, 0);
  bool started = false;
  for (int left = std::abs(exponent); left != 0; left >>= 1) {
    if ((left & 1) != 0) {
      result = started ? product(result, base) : base;
      started = true;
    }
    base = product(base, base);
  }
  return exponent < 0 ? reciprocal(result) : result;
}

Complex pow_of(Complex a, Complex b) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  if (b == Complex(0, 0)) return {1, 0};
  if (a == Complex(0, 0)) return b.real() > 0 ? Complex(0, 0) : Complex(kNan, kNan);
  // Small whole exponents by multiplication: exact where the products are.
  if (b.imag() == 0 && std::abs(b.real()) < 100 && b.real() == std::trunc(b.real())) {
    return integer_power(a, static_cast<int>(b.real()));
  }
  return std::pow(a, b);
}

Complex sign_of(Complex z) {
  if (z == Complex(0, 0)) return {0, 0};
  const double size = std::hypot(z.real(), z.imag());
  return {z.real() / size, z.imag() / size};
}

Complex log2_of(Complex z) {
  const Complex l = std::log(z);
  return {l.real() / std::numbers::ln2, l.imag() / std::numbers::ln2};
}

// One function object a row of complex.def, all on double.
// clang-format off
struct abs { double operator()(Complex z) const { return std::hypot(z.real(), z.imag()); } };
struct acos { Complex operator()(Complex z) const { return std::acos(z); } };
struct acosh { Complex operator()(Complex z) const { return std::acosh(z); } };
struct asin { Complex operator()(Complex z) const { return std::asin(z); } };
struct asinh { Complex operator()(Complex z) const { return std::asinh(z); } };
struct atan { Complex operator()(Complex z) const { return std::atan(z); } };
struct atanh { Complex operator()(Complex z) const { return std::atanh(z); } };
struct cos { Complex operator()(Complex z) const { return std::cos(z); } };
struct cosh { Complex operator()(Complex z) const { return std::cosh(z); } };
struct exp { Complex operator()(Complex z) const { return std::exp(z); } };
struct expm1 { Complex operator()(Complex z) const { return expm1_of(z); } };
struct log { Complex operator()(Complex z) const { return std::log(z); } };
struct log10 { Complex operator()(Complex z) const { return std::log10(z); } };
struct log1p { Complex operator()(Complex z) const { return log1p_of(z); } };
struct log2 { Complex operator()(Complex z) const { return log2_of(z); } };
struct pow { Complex operator()(Complex a, Complex b) const { return pow_of(a, b); } };
struct sign { Complex operator()(Complex z) const { return sign_of(z); } };
struct sin { Complex operator()(Complex z) const { return std::sin(z); } };
struct sinh { Complex operator()(Complex z) const { return std::sinh(z); } };
struct sqrt { Complex operator()(Complex z) const { return std::sqrt(z); } };
struct tan { Complex operator()(Complex z) const { return std::tan(z); } };
struct tanh { Complex operator()(Complex z) const { return tanh_of(z); } };
// clang-format on

template <class F, int kArity, class T>
void loop(const void* const* in, void* out, std::int64_t n) {
  const auto* a = static_cast<const std::complex<T>*>(in[0]);
  for (std::int64_t i = 0; i < n; ++i) {
    if constexpr (kArity == 2) {
      const auto* b = static_cast<const std::complex<T>*>(in[1]);
      static_cast<std::complex<T>*>(out)[i] = std::complex<T>(F{}(Complex(a[i]), Complex(b[i])));
    } else if constexpr (std::same_as<decltype(F{}(Complex{})), double>) {
      static_cast<T*>(out)[i] = static_cast<T>(F{}(Complex(a[i])));
    } else {
      static_cast<std::complex<T>*>(out)[i] = std::complex<T>(F{}(Complex(a[i])));
    }
  }
}

}  // namespace

void fill_complex_maths(Table& table) {
#define PENSTOCK_COMPLEX(name, arity)                                                                 \
  table.elementwise[index_of(Op::k_##name)][index_of(DType::k_complex64)] = loop<name, arity, float>; \
  table.elementwise[index_of(Op::k_##name)][index_of(DType::k_complex128)] = loop<name, arity, double>;
#include "penstock/kernel/complex.def"
#undef PENSTOCK_COMPLEX
}

}  // namespace penstock::kernel
