// SPDX-License-Identifier: Apache-2.0
#include "penstock/array/number.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "penstock/base/error.h"

namespace penstock {
namespace {

std::complex<double> as_complex(const Number& number) {
  return std::visit(
      []<class T>(T value) -> std::complex<double> {
        if constexpr (std::is_same_v<T, std::complex<double>>)
          return value;
        else
          return {static_cast<double>(value), 0};
      },
      number.value);
}

template <class T>
T as_integer(const Number& number, DType dtype) {
  const auto fail = [&](const auto& value) -> T {
    throw ArgumentError(
        cat("the number ", value, " does not fit ", name_of(dtype), "; convert the array first with astype"));
  };
  if (const auto* u = std::get_if<std::uint64_t>(&number.value)) {
    return *u <= static_cast<std::uint64_t>(std::numeric_limits<T>::max()) ? static_cast<T>(*u) : fail(*u);
  }
  if (const auto* d = std::get_if<double>(&number.value)) {
    return *d == std::trunc(*d) && std::abs(*d) < 0x1p63
               ? as_integer<T>(Number{Kind::kInt, static_cast<std::int64_t>(*d)}, dtype)
               : fail(*d);
  }
  const std::int64_t value =
      std::holds_alternative<bool>(number.value) ? std::get<bool>(number.value) : std::get<std::int64_t>(number.value);
  if constexpr (std::is_same_v<T, std::uint64_t>)
    return value >= 0 ? static_cast<T>(value) : fail(value);
  else
    return value >= static_cast<std::int64_t>(std::numeric_limits<T>::min()) &&
                   value <= static_cast<std::int64_t>(std::numeric_limits<T>::max())
               ? static_cast<T>(value)
               : fail(value);
}

}  // namespace

DType default_dtype(const Number& number) {
  switch (number.kind) {
    case Kind::kBool:
      return DType::k_bool;
    case Kind::kInt:
      return std::holds_alternative<std::uint64_t>(number.value) ? DType::k_uint64 : DType::k_int64;
    case Kind::kUInt:
      return DType::k_uint64;
    case Kind::kFloat:
      return DType::k_float64;
    case Kind::kComplex:
      return DType::k_complex128;
  }
  return DType::k_float64;
}

graph::Scalar scalar_of(const Number& number, DType dtype) {
  if (number.kind == Kind::kComplex && kind_of(dtype) != Kind::kComplex) {
    throw DTypeError(cat("a complex number does not fit ", name_of(dtype)));
  }
  return visit(dtype, [&]<class T>() -> graph::Scalar {
    const std::complex<double> value = as_complex(number);
    if constexpr (std::is_same_v<T, bool>)
      return graph::Scalar::of(value != 0.0);
    else if constexpr (std::is_same_v<T, Half>)
      throw DTypeError("float16 is a storage dtype; use float32");
    else if constexpr (std::is_integral_v<T>)
      return graph::Scalar::of(as_integer<T>(number, dtype));
    else if constexpr (std::is_floating_point_v<T>)
      return graph::Scalar::of(static_cast<T>(value.real()));
    else
      return graph::Scalar::of(
          T(static_cast<typename T::value_type>(value.real()), static_cast<typename T::value_type>(value.imag())));
  });
}

}  // namespace penstock
