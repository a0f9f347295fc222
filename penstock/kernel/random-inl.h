// SPDX-License-Identifier: Apache-2.0
// Functors of the rows of domain kWord: numbers made of a counter. Additions, multiplications, divisions, square roots
// and shifts only, in a fixed order: every target gives the same bits, with fused multiplication or without.
#if defined(PENSTOCK_KERNEL_RANDOM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_RANDOM_INL_H_
#undef PENSTOCK_KERNEL_RANDOM_INL_H_
#else
#define PENSTOCK_KERNEL_RANDOM_INL_H_
#endif

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "penstock/simd/exp-inl.h"
#include "penstock/simd/per_target-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

/// Threefry-2x32 of 20 rounds: the counter enciphered by the key.
///
///    counter, key, result    63          32 31           0
///                           |   word 1     |   word 0     |
///
/// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
HWY_INLINE std::uint64_t threefry2x32(std::uint64_t counter, std::uint64_t key) {
  constexpr int kRounds = 20;
  constexpr int kRotations[] = {13, 15, 26, 6, 17, 29, 16, 24};
  constexpr std::uint32_t kParity = 0x1bd11bda;
  const auto key0 = static_cast<std::uint32_t>(key);
  const auto key1 = static_cast<std::uint32_t>(key >> 32);
  const std::uint32_t schedule[] = {key0, key1, kParity ^ key0 ^ key1};
  std::uint32_t x0 = static_cast<std::uint32_t>(counter) + key0;
  std::uint32_t x1 = static_cast<std::uint32_t>(counter >> 32) + key1;
#pragma GCC unroll 20
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    x0 += x1;
    x1 = std::rotl(x1, kRotations[round % 8]) ^ x0;
    if (round % 4 == 3) {
      const std::uint32_t turn = round / 4 + 1;
      x0 += schedule[turn % 3];
      x1 += schedule[(turn + 1) % 3] + turn;
    }
  }
  return x0 | static_cast<std::uint64_t>(x1) << 32;
}

/// The nearest double. In two parts that are exact, by way of their bits: not every target converts 64-bit integers.
HWY_INLINE double nearest_double(std::uint64_t x) {
  const auto high = std::bit_cast<double>((x >> 32) | 0x4530'0000'0000'0000u) - 0x1.00000001p84;
  return high + std::bit_cast<double>((x & 0xffff'ffffu) | 0x4330'0000'0000'0000u);
}

/// c[0] + c[1] x + ...
template <std::size_t kTerms>
HWY_INLINE double polynomial(const double (&c)[kTerms], double x) {
  double sum = c[kTerms - 1];
#pragma GCC unroll 16
  for (std::size_t k = kTerms - 1; k > 0; --k) sum = sum * x + c[k - 1];
  return sum;
}

/// -log(x) for a normal number x in (0, 1], within 2 ULP: x = 2^e m with m around 1, and log m = 2 artanh(s) for
/// s = (m - 1) / (m + 1), of which |s| < 0.172 leaves 10 terms.
HWY_INLINE double minus_log(double x) {
  constexpr std::uint64_t kSqrtHalf = 0x3fe6'a09e'667f'3bcdu;
  constexpr double kTerms[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                               1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
  const auto bits = std::bit_cast<std::uint64_t>(x);
  // Counted from 1023 up, so that the shift needs no sign.
  const std::uint64_t exponent = (bits - kSqrtHalf + (std::uint64_t{1023} << 52)) >> 52;
  const auto m = std::bit_cast<double>(bits - (exponent << 52) + (std::uint64_t{1023} << 52));
  const double e = std::bit_cast<double>(exponent | 0x4330'0000'0000'0000u) - (0x1p52 + 1023);
  const double s = (m - 1) / (m + 1);
  const double z = s * s;
  // e times the first part of log 2 is exact.
  return -(e * simd::HWY_NAMESPACE::kLn2[0]) -
         (2 * s + (2 * s * z * polynomial(kTerms, z) + e * simd::HWY_NAMESPACE::kLn2[1]));
}

// clang-format off
/// A whole number below n, from two words as a fraction of 128 bits: no two of the n values differ in probability by
/// more than 2^-128.
struct RandomBelow {
  std::uint64_t operator()(std::uint64_t high, std::uint64_t low, std::uint64_t n) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(high) * n + (static_cast<Wide>(low) * n >> 64)) >> 64);
  }
};
struct RandomBits {
  std::uint64_t operator()(std::uint64_t counter, std::uint64_t key) const { return threefry2x32(counter, key); }
};
/// -log u for u = (2 (word / 2) + 1) / 2^64: mean 1, at most 64 log 2.
struct RandomExponential {
  double operator()(std::uint64_t word) const { return 0.0 + minus_log(nearest_double(word | 1) * 0x1p-64); }
};
// clang-format on

/// A standard normal number: the sign is the highest bit, the others choose the upper tail's probability
/// p = (2 w + 1) / 2^64 / 2, whose quantile is a rational function of p around 1/2 and of sqrt(-log p) farther out.
/// M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988).
struct RandomNormal {
  double operator()(std::uint64_t word) const {
    constexpr double kMiddle[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                  1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                  3.3430575583588128105e4, 2.5090809287301226727e3};
    constexpr double kMiddleBelow[] = {1.0,
                                       4.2313330701600911252e1,
                                       6.8718700749205790830e2,
                                       5.3941960214247511077e3,
                                       2.1213794301586595867e4,
                                       3.9307895800092710610e4,
                                       2.8729085735721942674e4,
                                       5.2264952788528545610e3};
    constexpr double kTail[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    constexpr double kTailBelow[] = {1.0,
                                     2.05319162663775882187e0,
                                     1.67638483018380384940e0,
                                     6.89767334985100004550e-1,
                                     1.48103976427480074590e-1,
                                     1.51986665636164571966e-2,
                                     5.47593808499534494600e-4,
                                     1.05075007164441684324e-9};
    constexpr double kFar[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                               2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
    constexpr double kFarBelow[] = {1.0,
                                    5.99832206555887937690e-1,
                                    1.36929880922735805310e-1,
                                    1.48753612908506148525e-2,
                                    7.86869131145613259100e-4,
                                    1.84631831751005468180e-5,
                                    1.42151175831644588870e-7,
                                    2.04426310338993978564e-15};
    const double p = nearest_double(word << 1 | 1) * 0x1p-65;
    const double q = 0.5 - p;
    const double root = std::sqrt(minus_log(p));
    const bool middle = q <= 0.425;
    const bool far = root > 5;
    const double near_one = 0.180625 - q * q;
    const double near_tail = root - 1.6;
    const double near_far = root - 5;
    const double above = far ? polynomial(kFar, near_far) : polynomial(kTail, near_tail);
    const double below = far ? polynomial(kFarBelow, near_far) : polynomial(kTailBelow, near_tail);
    const double top = middle ? q * polynomial(kMiddle, near_one) : above;
    const double bottom = middle ? polynomial(kMiddleBelow, near_one) : below;
    const auto size = std::bit_cast<std::uint64_t>(top / bottom);
    return std::bit_cast<double>(size | (word & (std::uint64_t{1} << 63)));
  }
};

/// A multiple of 2^-53 in [0, 1): the upper bits of a word.
struct RandomUnit {
  double operator()(std::uint64_t word) const { return nearest_double(word >> 11) * 0x1p-53; }
};

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
