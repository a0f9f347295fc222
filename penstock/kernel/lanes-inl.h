// SPDX-License-Identifier: Apache-2.0
// Blocks of reduction slots held in vector registers: the compiler's vectors, as wide as the target's, so that one
// expression serves scalars and vectors.
#if defined(PENSTOCK_KERNEL_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_LANES_INL_H_
#undef PENSTOCK_KERNEL_LANES_INL_H_
#else
#define PENSTOCK_KERNEL_LANES_INL_H_
#endif

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "hwy/highway.h"
#include "penstock/kernel/element.h"
#include "penstock/kernel/order-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR
inline constexpr bool kHasVectors = false;
#else
inline constexpr bool kHasVectors = true;
#endif

template <class T>
struct VectorOf {
  static constexpr std::int64_t kLanes = HWY_MAX_BYTES / static_cast<std::int64_t>(sizeof(T));
  typedef T Type __attribute__((vector_size(HWY_MAX_BYTES)));
};
template <class T>
using Vector = typename VectorOf<T>::Type;
template <class T>
inline constexpr std::int64_t kLanesOf = VectorOf<T>::kLanes;
/// As many signed integers as Vector<T> has lanes: what comparing gives.
template <class T>
using Mask = Vector<std::make_signed_t<UInt<sizeof(T)>>>;

template <class T>
HWY_INLINE void load_vector(const T* from, Vector<T>& v) {
  std::memcpy(&v, from, sizeof v);
}
/// Loads v once where several instructions use it. g++ 12 loads it for each of them, which halves the speed of a loop
/// over the second-level cache.
template <class V>
HWY_INLINE void keep_in_register(V& v) {
#if HWY_ARCH_X86
  asm("" : "+v"(v));
#elif HWY_ARCH_ARM
  asm("" : "+w"(v));
#endif
}
template <class T>
HWY_INLINE void store_vector(const Vector<T>& v, T* to) {
  std::memcpy(to, &v, sizeof v);
}

/// Elements of T between `from` and the vector-aligned address before it.
template <class T>
HWY_INLINE std::int64_t elements_before(const T* from) {
  return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(from) % sizeof(Vector<T>) / sizeof(T));
}

/// Lane i holds first + i.
template <class T>
HWY_INLINE Mask<T> counted(std::int64_t first) {
  using Place = std::make_signed_t<UInt<sizeof(T)>>;
  Place all[kLanesOf<T>];
  for (std::int64_t i = 0; i < kLanesOf<T>; ++i) all[i] = static_cast<Place>(first + i);
  Mask<T> places;
  std::memcpy(&places, all, sizeof places);
  return places;
}

/// Lane i of the first kHalf ones holds lane kHalf + i.
template <std::int64_t kHalf, class V>
HWY_INLINE V upper_half(V v) {
  return [v]<int... i>(std::integer_sequence<int, i...>) HWY_ATTR {
    constexpr int kLast = sizeof...(i) - 1;
    return __builtin_shufflevector(v, v, ((i + kHalf) & kLast)...);
  }
  (std::make_integer_sequence<int, static_cast<int>(sizeof(V) / sizeof(v[0]))>());
}

/// Lane i combined with lane kHalf + i, then the same of half as many: what is in the first one then.
template <class T, std::int64_t kHalf = kLanesOf<T> / 2, class F>
HWY_INLINE T merged_lanes(Vector<T> v, const F& combine) {
  if constexpr (kHalf > 0)
    return merged_lanes<T, kHalf / 2>(combine(v, upper_half<kHalf>(v)), combine);
  else
    return v[0];
}

/// The target's own minimum and maximum instructions. Of floats they are in order only among numbers other than zeros.
template <class T>
HWY_INLINE Vector<T> machine_min(Vector<T> a, Vector<T> b) {
  using V = hwy::HWY_NAMESPACE::Vec<hwy::HWY_NAMESPACE::ScalableTag<T>>;
  using Raw = decltype(V{}.raw);
  return reinterpret_cast<Vector<T>>(
      hwy::HWY_NAMESPACE::Min(V{reinterpret_cast<Raw>(a)}, V{reinterpret_cast<Raw>(b)}).raw);
}
template <class T>
HWY_INLINE Vector<T> machine_max(Vector<T> a, Vector<T> b) {
  using V = hwy::HWY_NAMESPACE::Vec<hwy::HWY_NAMESPACE::ScalableTag<T>>;
  using Raw = decltype(V{}.raw);
  return reinterpret_cast<Vector<T>>(
      hwy::HWY_NAMESPACE::Max(V{reinterpret_cast<Raw>(a)}, V{reinterpret_cast<Raw>(b)}).raw);
}

/// Whether no lane is NaN.
template <class T>
HWY_INLINE bool all_lanes_ordered(Vector<T> a) {
  const hwy::HWY_NAMESPACE::ScalableTag<T> d;
  using V = hwy::HWY_NAMESPACE::Vec<decltype(d)>;
  const V v{reinterpret_cast<decltype(V{}.raw)>(a)};
  return hwy::HWY_NAMESPACE::AllTrue(d, hwy::HWY_NAMESPACE::Eq(v, v));
}

/// Calls f.template operator()<kVectors>(first) for blocks of `kMost` vectors, then halves of it, and returns the
/// first slot left over, fewer than a vector.
template <class T, int kMost, class F>
HWY_INLINE std::int64_t for_blocks(std::int64_t width, const F& f) {
  std::int64_t first = 0;
  if constexpr (kHasVectors) {
    for (; first + kMost * kLanesOf<T> <= width; first += kMost * kLanesOf<T>) f.template block<kMost>(first);
    if constexpr (kMost >= 8) {
      for (; first + 4 * kLanesOf<T> <= width; first += 4 * kLanesOf<T>) f.template block<4>(first);
    }
    if constexpr (kMost > 1) {
      for (; first + kLanesOf<T> <= width; first += kLanesOf<T>) f.template block<1>(first);
    }
  }
  return first;
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
