// SPDX-License-Identifier: Apache-2.0
#include "penstock/kernel/sort.h"

#include <hwy/contrib/sort/vqsort.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "penstock/kernel/sort_key.h"
#include "penstock/kernel/table.h"

namespace penstock::kernel {
namespace {

template <class K>
bool before(const K& a, const K& b) {
  if constexpr (std::is_same_v<K, hwy::uint128_t>)
    return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
  else
    return a < b;
}

template <class K>
void sort(void* x_, std::int64_t n) {
  K* x = static_cast<K*>(x_);
  if constexpr (sizeof(K) == 1) {
    std::int64_t counts[256] = {};
    for (std::int64_t i = 0; i < n; ++i) ++counts[x[i]];
    for (int value = 0; value < 256; ++value) {
      std::memset(x, value, static_cast<std::size_t>(counts[value]));
      x += counts[value];
    }
  } else {
    hwy::Sorter()(x, static_cast<std::size_t>(n), hwy::SortAscending());
  }
}

/// The merge path: the least number of `a` such that what is left of `a` does not come before what is taken of `b`.
template <class K>
std::int64_t split(const void* a_, std::int64_t na, const void* b_, std::int64_t nb, std::int64_t k) {
  const K* a = static_cast<const K*>(a_);
  const K* b = static_cast<const K*>(b_);
  std::int64_t low = std::max<std::int64_t>(0, k - nb);
  std::int64_t high = std::min(k, na);
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (before(b[k - middle - 1], a[middle]))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/// Two runs on their way to one.
template <class K>
struct Merge {
  const K* a;
  const K* a_end;
  const K* b;
  const K* b_end;
  K* out;

  /// As many steps that neither run ends at.
  std::int64_t sure() const { return std::min(a_end - a, b_end - b); }
  void step() {
    const bool takes_b = before(*b, *a);
    *out++ = takes_b ? *b : *a;
    b += takes_b;
    a += !takes_b;
  }
  void finish() {
    while (a < a_end && b < b_end) step();
    std::copy(b, b_end, std::copy(a, a_end, out));
  }
};

template <class K>
void merge(const void* a_, std::int64_t na, const void* b_, std::int64_t nb, void* out_) {
  const K* a = static_cast<const K*>(a_);
  const K* b = static_cast<const K*>(b_);
  K* out = static_cast<K*>(out_);
  // Four quarters side by side: each step waits for the one before it.
  constexpr std::int64_t kParts = 4;
  std::int64_t from_a[kParts + 1];
  for (std::int64_t p = 0; p <= kParts; ++p) from_a[p] = split<K>(a, na, b, nb, (na + nb) * p / kParts);
  const auto part = [&](std::int64_t p) {
    const std::int64_t begin = (na + nb) * p / kParts;
    const std::int64_t end = (na + nb) * (p + 1) / kParts;
    return Merge<K>{a + from_a[p], a + from_a[p + 1], b + (begin - from_a[p]), b + (end - from_a[p + 1]), out + begin};
  };
  Merge<K> first = part(0);
  Merge<K> second = part(1);
  Merge<K> third = part(2);
  Merge<K> fourth = part(3);
  while (true) {
    const std::int64_t sure = std::min(std::min(first.sure(), second.sure()), std::min(third.sure(), fourth.sure()));
    if (sure == 0) break;
    for (std::int64_t i = 0; i < sure; ++i) {
      first.step();
      second.step();
      third.step();
      fourth.step();
    }
  }
  first.finish();
  second.finish();
  third.finish();
  fourth.finish();
}

template <class K>
constexpr Sorter sorter() {
  return {sizeof(K), &sort<K>, &split<K>, &merge<K>};
}

/// All NaN are one key, and so are 0.0 and -0.0: their places decide.
template <class T, bool kDescending>
Key<T> place_key(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return std::numeric_limits<Key<T>>::max();
    return ordered_key<T, kDescending>(value + T(0));
  } else {
    return ordered_key<T, kDescending>(value);
  }
}

template <class K>
K with_place(std::uint64_t key, std::int64_t place) {
  if constexpr (std::is_same_v<K, hwy::uint128_t>) {
    hwy::uint128_t both;
    both.lo = static_cast<std::uint64_t>(place);
    both.hi = key;
    return both;
  } else {
    return key << 32 | static_cast<std::uint64_t>(place);
  }
}

template <class T, bool kDescending, class K>
bool encode_places(const void* x_, std::int64_t n, std::int64_t first, void* out_) {
  const T* x = static_cast<const T*>(x_);
  K* out = static_cast<K*>(out_);
  for (std::int64_t i = 0; i < n; ++i) out[i] = with_place<K>(place_key<T, kDescending>(x[i]), first + i);
  return false;
}

template <class K>
void decode_places(const void* x_, std::int64_t n, void* out_) {
  const K* x = static_cast<const K*>(x_);
  auto* out = static_cast<std::int64_t*>(out_);
  for (std::int64_t i = 0; i < n; ++i) {
    if constexpr (std::is_same_v<K, hwy::uint128_t>)
      out[i] = static_cast<std::int64_t>(x[i].lo);
    else
      out[i] = static_cast<std::int64_t>(x[i] & 0xffff'ffffu);
  }
}

template <class T, bool kDescending, class K>
Sorting places() {
  return {sorter<K>(), {&encode_places<T, kDescending, K>, &decode_places<K>}};
}

/// NaN after all numbers.
template <class T>
bool less(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a < b || (b != b && a == a);
  else
    return a < b;
}

}  // namespace

bool sorts(DType dtype) {
  return visit(dtype, []<class T>() { return kSorts<T>; });
}

Sorting values_of(DType dtype, bool descending) {
  return visit(dtype, [=]<class T>() -> Sorting {
    if constexpr (kSorts<T>) {
      return {sorter<Key<T>>(), table().coding[descending ? 1 : 0][index_of(dtype)]};
    } else {
      return {};
    }
  });
}

Sorting places_of(DType dtype, bool descending, std::int64_t n) {
  const bool narrow = size_of(dtype) <= 4 && n <= std::int64_t{1} << 32;
  return visit(dtype, [=]<class T>() -> Sorting {
    if constexpr (!kSorts<T>) {
      return {};
    } else {
      if constexpr (sizeof(T) <= 4) {
        if (narrow) return descending ? places<T, true, std::uint64_t>() : places<T, false, std::uint64_t>();
      }
      return descending ? places<T, true, hwy::uint128_t>() : places<T, false, hwy::uint128_t>();
    }
  });
}

std::int64_t zeros_of(DType dtype, const void* x_, std::int64_t n, void* out) {
  return visit(dtype, [=]<class T>() -> std::int64_t {
    std::int64_t found = 0;
    if constexpr (std::is_floating_point_v<T>) {
      const T* x = static_cast<const T*>(x_);
      T* to = static_cast<T*>(out);
      for (std::int64_t i = 0; i < n; ++i) {
        if (x[i] == 0) to[found++] = x[i];
      }
    }
    return found;
  });
}

std::int64_t first_zero(DType dtype, const void* x_, std::int64_t n) {
  return visit(dtype, [=]<class T>() {
    if constexpr (std::is_floating_point_v<T>) {
      const T* x = static_cast<const T*>(x_);
      return static_cast<std::int64_t>(std::find(x, x + n, T(0)) - x);
    } else {
      return n;
    }
  });
}

void restore_zeros(DType dtype, const void* x, std::int64_t n, void* sorted) {
  zeros_of(dtype, x, n, static_cast<std::byte*>(sorted) + first_zero(dtype, sorted, n) * size_of(dtype));
}

namespace {

/// How many of n sorted elements lie before the value: halves without branches, so that the whole of it is loads that
/// wait for each other.
template <bool kRight, class T>
std::int64_t count_before(const T* sorted, std::int64_t n, T value) {
  const T* base = sorted;
  for (std::int64_t left = n; left > 0;) {
    const std::int64_t half = left - left / 2;
    const T& middle = base[half - 1];
    base += (kRight ? !less(value, middle) : less(middle, value)) ? half : 0;
    left -= half;
  }
  return base - sorted;
}

template <bool kRight, class T>
void search_all(const T* sorted, std::int64_t n, const T* q, std::int64_t count, bool window, std::int64_t* out) {
  const auto lies_before = [](T element, T value) { return kRight ? !less(value, element) : less(element, value); };
  if (!window || n == 0) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = count_before<kRight>(sorted, n, q[i]);
    return;
  }
  const T first = sorted[0];
  const T last = sorted[n - 1];
  for (std::int64_t i = 0; i < count; ++i) {
    const T value = q[i];
    if (!lies_before(first, value))
      out[i] = 0;
    else
      out[i] = lies_before(last, value) ? n : count_before<kRight>(sorted, n, value);
  }
}

}  // namespace

void search(DType dtype, const void* sorted_, std::int64_t n, const void* q_, std::int64_t count, bool right,
            bool window, std::int64_t* out) {
  visit(dtype, [=]<class T>() {
    if constexpr (kSorts<T>) {
      const T* sorted = static_cast<const T*>(sorted_);
      const T* q = static_cast<const T*>(q_);
      right ? search_all<true>(sorted, n, q, count, window, out) : search_all<false>(sorted, n, q, count, window, out);
    }
  });
}

}  // namespace penstock::kernel
