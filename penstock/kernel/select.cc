// SPDX-License-Identifier: Apache-2.0
#include "penstock/kernel/select.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "penstock/kernel/sort_key.h"

namespace penstock::kernel {
namespace {

template <class T>
bool count_top(const void* x_, std::int64_t n, Digit digit, std::uint32_t* counts) {
  const T* x = static_cast<const T*>(x_);
  const std::int64_t values = digit.values();
  bool nan = false;
  for (std::int64_t i = 0; i < n; ++i) {
    if constexpr (std::is_floating_point_v<T>) nan |= x[i] != x[i];
    ++counts[(i % kSelectCopies) * values + static_cast<std::int64_t>(key_of(x[i]) >> digit.shift)];
  }
  return nan;
}

/// One prefix, the usual case. Few elements begin with it as a rule: which ones is told for a block at once.
template <class T>
void count_one(const T* x, std::int64_t n, Digit digit, std::uint64_t prefix, std::uint32_t* counts) {
  using K = Key<T>;
  constexpr std::int64_t kBlock = 32;
  const auto mask = static_cast<K>(digit.values() - 1);
  const int above = digit.shift + digit.bits;
  const auto wanted = static_cast<K>(prefix);
  for (std::int64_t start = 0; start < n; start += kBlock) {
    const std::int64_t m = std::min(kBlock, n - start);
    K keys[kBlock];
    K found = 0;
    for (std::int64_t i = 0; i < m; ++i) {
      keys[i] = key_of(x[start + i]);
      found = static_cast<K>(found | static_cast<K>(static_cast<K>(keys[i] >> above) == wanted));
    }
    if (found == 0) continue;
    for (std::int64_t i = 0; i < m; ++i) {
      if (static_cast<K>(keys[i] >> above) == wanted) ++counts[static_cast<K>(keys[i] >> digit.shift) & mask];
    }
  }
}

template <class T>
void count_below(const void* x_, std::int64_t n, Digit digit, const Prefixes& prefixes, std::uint32_t* counts) {
  const T* x = static_cast<const T*>(x_);
  if (prefixes.count == 1) return count_one(x, n, digit, prefixes.prefix[0], counts);
  const std::uint64_t mask = static_cast<std::uint64_t>(digit.values()) - 1;
  const int above = digit.shift + digit.bits;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t key = key_of(x[i]);
    std::int64_t k = prefixes.first[key >> prefixes.top_shift];
    if (k < 0) continue;
    const std::uint64_t begin = key >> above;
    while (k < prefixes.count && prefixes.prefix[k] < begin) ++k;
    if (k < prefixes.count && prefixes.prefix[k] == begin)
      ++counts[k * digit.values() + static_cast<std::int64_t>(key >> digit.shift & mask)];
  }
}

template <class T>
void value(std::uint64_t key, void* out) {
  const T element = value_of<T>(static_cast<Key<T>>(key));
  std::memcpy(out, &element, sizeof element);
}

template <class T>
bool pick(const void* x_, std::int64_t n, const std::int64_t* ranks, std::int64_t count, void* room, void* out) {
  const T* x = static_cast<const T*>(x_);
  auto* keys = static_cast<Key<T>*>(room);
  bool nan = false;
  for (std::int64_t i = 0; i < n; ++i) {
    if constexpr (std::is_floating_point_v<T>) nan |= x[i] != x[i];
    keys[i] = key_of(x[i]);
  }
  std::int64_t begin = 0;
  for (std::int64_t j = 0; j < count; ++j) {
    std::nth_element(keys + begin, keys + ranks[j], keys + n);
    value<T>(keys[ranks[j]], static_cast<T*>(out) + j);
    begin = ranks[j];
  }
  return nan;
}

template <class T>
const Selecting* selecting() {
  static constexpr Selecting each{8 * sizeof(T), &count_top<T>, &count_below<T>, &pick<T>, &value<T>};
  return &each;
}

}  // namespace

const Selecting* selecting_of(DType dtype) {
  return visit(dtype, []<class T>() -> const Selecting* {
    if constexpr (kSorts<T>)
      return selecting<T>();
    else
      return nullptr;
  });
}

}  // namespace penstock::kernel
