// SPDX-License-Identifier: Apache-2.0
// Elements as keys that sort like them, and back; dividing keys by a pivot, where vectors are compressed to those
// before it and those behind.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/keys.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include <bit>
#include <cstdint>

#include "penstock/kernel/sort_key.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class T, bool kDescending>
HWY_FLATTEN bool encode(const void* x_, std::int64_t n, std::int64_t /*first*/, void* out_) {
  const T* x = static_cast<const T*>(x_);
  Key<T>* out = static_cast<Key<T>*>(out_);
  Key<T> zeros = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const T value = x[i];
    if constexpr (std::is_floating_point_v<T>)
      zeros |= static_cast<Key<T>>(std::bit_cast<Key<T>>(value) == std::bit_cast<Key<T>>(T(-0.0)));
    out[i] = ordered_key<T, kDescending>(value);
  }
  return zeros != 0;
}

template <class T, bool kDescending>
HWY_FLATTEN void decode(const void* x_, std::int64_t n, void* out_) {
  const Key<T>* x = static_cast<const Key<T>*>(x_);
  T* out = static_cast<T*>(out_);
  PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < n; ++i) out[i] = ordered_value<T, kDescending>(x[i]);
}

template <class K, bool kEqual>
HWY_FLATTEN std::int64_t divided(const K* x, std::int64_t n, K pivot, K* low, K* high) {
  std::int64_t i = 0;
  std::int64_t lower = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<K> d;
  static_assert(hn::MaxLanes(d) * sizeof(K) <= kDivideSlack);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto limit = hn::Set(d, pivot);
  for (; i + lanes <= n; i += lanes) {
    const auto keys = hn::LoadU(d, x + i);
    const auto before = kEqual ? hn::Not(hn::Lt(limit, keys)) : hn::Lt(keys, limit);
    hn::CompressStore(keys, hn::Not(before), d, high + (i - lower));
    lower += static_cast<std::int64_t>(hn::CompressStore(keys, before, d, low + lower));
  }
#endif
  for (; i < n; ++i) {
    const bool before = kEqual ? x[i] <= pivot : x[i] < pivot;
    low[lower] = x[i];
    high[i - lower] = x[i];
    lower += before;
  }
  return lower;
}

template <class K>
std::int64_t divide(const void* x, std::int64_t n, const void* pivot, bool equal, void* low, void* high) {
  const auto call = equal ? divided<K, true> : divided<K, false>;
  return call(static_cast<const K*>(x), n, *static_cast<const K*>(pivot), static_cast<K*>(low), static_cast<K*>(high));
}

}  // namespace

void fill_keys(Table& table);
void fill_keys(Table& table) {
  for (int t = 0; t < kDTypeCount; ++t) {
    visit(static_cast<DType>(t), [&]<class T>() {
      if constexpr (kSorts<T>) {
        table.coding[0][t] = {encode<T, false>, decode<T, false>};
        table.coding[1][t] = {encode<T, true>, decode<T, true>};
      }
    });
  }
  table.divide[1] = divide<std::uint16_t>;
  table.divide[2] = divide<std::uint32_t>;
  table.divide[3] = divide<std::uint64_t>;
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
