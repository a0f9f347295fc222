// SPDX-License-Identifier: Apache-2.0
// Every cast under every target: against a plain saturating conversion, and bit for bit against the scalar target.
#include <cmath>

#include "gtest/gtest.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

double half_value(Half h) {
  const int exponent = h.bits >> 10 & 31;
  const int mantissa = h.bits & 1023;
  double size = std::ldexp(mantissa, -24);
  if (exponent != 0) size = std::ldexp(1024 + mantissa, exponent - 25);
  if (exponent == 31) size = mantissa != 0 ? NAN : INFINITY;
  return (h.bits & 0x8000) != 0 ? -size : size;
}

/// By search: the nearest of all halves, ties to the even one.
Half nearest_half(long double x) {
  if (x != x) return Half{0x7e00};
  const unsigned sign = std::signbit(x) ? 0x8000 : 0;
  const long double size = std::abs(x);
  if (size >= 65520) return Half{static_cast<std::uint16_t>(sign | 0x7c00)};
  unsigned low = 0;  // the greatest half not above
  for (unsigned bit = 0x4000; bit != 0; bit >>= 1) {
    if ((low | bit) < 0x7c00 && half_value(Half{static_cast<std::uint16_t>(low | bit)}) <= size) low |= bit;
  }
  const long double below = half_value(Half{static_cast<std::uint16_t>(low)});
  const long double above = low + 1 == 0x7c00 ? 65536 : half_value(Half{static_cast<std::uint16_t>(low + 1)});
  const bool up = size - below > above - size || (size - below == above - size && (low & 1) != 0);
  return Half{static_cast<std::uint16_t>(sign | (up ? low + 1 : low))};
}

/// Any element as its real part, exactly: a long double holds 64-bit integers.
template <class T>
long double value_of(const T& x) {
  if constexpr (std::is_same_v<T, Half>) {
    return half_value(x);
  } else if constexpr (std::is_arithmetic_v<T>) {
    return x;
  } else {
    return x.real();
  }
}

template <class To, class From>
To reference(const From& from) {
  const long double x = value_of(from);
  if constexpr (std::is_same_v<To, bool>) {
    if constexpr (!std::is_arithmetic_v<From> && !std::is_same_v<From, Half>) return from != From{};
    return x != 0;
  } else if constexpr (std::is_integral_v<To>) {
    if (x != x) return 0;
    if (x <= static_cast<long double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (x >= static_cast<long double>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(x);
  } else if constexpr (std::is_same_v<To, Half>) {
    return nearest_half(x);
  } else if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(x);
  } else {
    using R = typename To::value_type;
    if constexpr (std::is_arithmetic_v<From> || std::is_same_v<From, Half>) {
      return To(reference<R>(from), 0);
    } else {
      return To(static_cast<R>(from.real()), static_cast<R>(from.imag()));
    }
  }
}

template <class From, class To>
void check(std::int64_t n, std::int64_t skew) {
  constexpr DType kFrom = kDTypeOf<From>;
  constexpr DType kTo = kDTypeOf<To>;
  Operand in(n, sizeof(From), skew);
  fill_values(in.as<From>(), n, 3);
  const std::vector<From> special = special_values<From>();
  for (std::size_t i = 0; i < special.size() && static_cast<std::int64_t>(i) < n; ++i) in.as<From>()[i] = special[i];
  for_targets([&](const Table& table) {
    Operand out(n, sizeof(To), skew);
    table.cast[index_of(kFrom)][index_of(kTo)](in.data(), out.data(), n);
    EXPECT_TRUE(out.intact()) << name_of(kFrom) << " to " << name_of(kTo) << " writes outside under " << table.target;
    for (std::int64_t i = 0; i < n; ++i) {
      const To expected = reference<To>(in.as<From>()[i]);
      const To got = out.as<To>()[i];
      ASSERT_TRUE(same(got, expected)) << name_of(kFrom) << " " << text_of(in.as<From>()[i]) << " to " << name_of(kTo)
                                       << " = " << text_of(got) << " under " << table.target << ", expected "
                                       << text_of(expected);
    }
  });
}

TEST(Cast, EveryPairSaturatesAndRounds) {
  for (int from = 0; from < kDTypeCount; ++from) {
    visit(static_cast<DType>(from), []<class From>() {
      for (int to = 0; to < kDTypeCount; ++to) {
        visit(static_cast<DType>(to), []<class To>() {
          for (const std::int64_t n : sizes_for(std::min(sizeof(From), sizeof(To)))) check<From, To>(n, n & 1);
          check<From, To>(2000, 1);
        });
      }
    });
  }
}

TEST(Cast, EveryHalfThereAndBack) {
  std::vector<std::uint16_t> all(65536);
  for (unsigned i = 0; i < 65536; ++i) all[i] = static_cast<std::uint16_t>(i);
  for_targets([&](const Table& table) {
    for (const DType wide : {DType::k_float32, DType::k_float64}) {
      std::vector<double> middle(65536);
      std::vector<Half> back(65536);
      table.cast[index_of(DType::k_float16)][index_of(wide)](all.data(), middle.data(), 65536);
      table.cast[index_of(wide)][index_of(DType::k_float16)](middle.data(), back.data(), 65536);
      EXPECT_EQ(difference(DType::k_float16, back.data(), all.data(), 65536), "")
          << name_of(wide) << " under " << table.target;
    }
  });
}

// Halfway between two halves, and one bit to either side: rounding twice, through float, would go wrong here.
TEST(Cast, DoublesRoundToHalvesOnce) {
  for_targets([&](const Table& table) {
    for (unsigned bits = 0; bits < 0x7bff; ++bits) {
      const double middle = (half_value(Half{static_cast<std::uint16_t>(bits)}) +
                             half_value(Half{static_cast<std::uint16_t>(bits + 1)})) /
                            2;
      for (const double x :
           {middle, std::nextafter(middle, 0), std::nextafter(middle, 1e9), -std::nextafter(middle, 1e9)}) {
        Half got{};
        table.cast[index_of(DType::k_float64)][index_of(DType::k_float16)](&x, &got, 1);
        ASSERT_EQ(got.bits, nearest_half(x).bits) << text_of(x) << " under " << table.target;
      }
    }
  });
}

}  // namespace
}  // namespace penstock::kernel
