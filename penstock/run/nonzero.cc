// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/nonzero.h"

#include <bit>
#include <cstring>

namespace penstock::run {
namespace {

constexpr std::int64_t kWord = 8;  // bytes that are looked at at once

/// The bytes of a word that are not 0, each as its highest bit.
std::uint64_t marks(std::uint64_t word) {
  constexpr std::uint64_t kLow = 0x7f7f'7f7f'7f7f'7f7f;
  return (((word & kLow) + kLow) | word) & ~kLow;
}

}  // namespace

std::int64_t* nonzero(const std::byte* x, std::int64_t stride, std::int64_t n, std::int64_t first, std::int64_t* out,
                      const std::int64_t* end) {
  std::int64_t i = 0;
  if (stride == 1) {
    for (; i + kWord <= n && end - out >= kWord; i += kWord) {
      std::uint64_t word = 0;
      std::memcpy(&word, x + i, sizeof word);
      for (std::uint64_t left = marks(word); left != 0; left &= left - 1)
        *out++ = first + i + std::countr_zero(left) / kWord;
    }
  }
  for (; i < n && out != end; ++i) {
    if (x[i * stride] != std::byte{0}) *out++ = first + i;
  }
  return out;
}

}  // namespace penstock::run
