// SPDX-License-Identifier: Apache-2.0
// Order statistics without sorting: the key of the element at a rank is found digit by digit, from the top, by counting
// how many keys have each value of a digit among those that agree with what is known. NaN is the greatest.
//
//   key (32 bits)     31         21 20         10 9          0
//                    |  digit 0    |  digit 1    |  digit 2   |
#pragma once

#include <cstdint>

#include "penstock/type/dtype.h"

namespace penstock::kernel {

/// `bits` bits of a key above its lowest `shift`.
struct Digit {
  int shift = 0;
  int bits = 0;

  std::int64_t values() const { return std::int64_t{1} << bits; }
};

/// Keys are looked for by what they begin with, above some digit: ascending, all different.
struct Prefixes {
  const std::uint64_t* prefix = nullptr;
  std::int64_t count = 0;
  const std::int32_t* first = nullptr;  // for each value of digit 0, the first prefix with it, or -1
  int top_shift = 0;                    // of digit 0
};

/// Digit 0 is counted in so many places, by turns: equal neighbours do not wait for each other.
constexpr std::int64_t kSelectCopies = 4;

struct Selecting {
  int key_bits = 0;

  /// ++counts[(i % kSelectCopies) * digit.values() + value] for the top digit of each of n elements; whether one is
  /// NaN.
  bool (*count_top)(const void* x, std::int64_t n, Digit digit, std::uint32_t* counts) = nullptr;
  /// ++counts[k * digit.values() + value] for each element whose key begins with prefix k.
  void (*count_below)(const void* x, std::int64_t n, Digit digit, const Prefixes& prefixes,
                      std::uint32_t* counts) = nullptr;
  /// out[j] = the element of rank ranks[j] in [0, n), ascending ranks; `room` holds n elements. Whether one is NaN.
  bool (*pick)(const void* x, std::int64_t n, const std::int64_t* ranks, std::int64_t count, void* room,
               void* out) = nullptr;
  /// The element of a key; of the greatest key of floats, NaN.
  void (*value)(std::uint64_t key, void* out) = nullptr;
};

/// Null for what has no order.
const Selecting* selecting_of(DType dtype);

}  // namespace penstock::kernel
