// SPDX-License-Identifier: Apache-2.0
// Reductions whose state is one value a slot: sum, prod, min, max.
#if defined(PENSTOCK_KERNEL_REDUCE_SIMPLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_REDUCE_SIMPLE_INL_H_
#undef PENSTOCK_KERNEL_REDUCE_SIMPLE_INL_H_
#else
#define PENSTOCK_KERNEL_REDUCE_SIMPLE_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "penstock/kernel/complex-inl.h"
#include "penstock/kernel/lanes-inl.h"
#include "penstock/kernel/reduce_leaves-inl.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

// Each combines a slot with an element, for scalars and vectors V of lane type T. Integers are unsigned where they
// wrap.
template <class T>
struct Sum {
  using Lane = T;
  // Only -0.0 leaves every float as it is.
  static constexpr T kNeutral = std::is_floating_point_v<T> ? -T{0} : T{0};
  template <class V>
  static HWY_INLINE V combine(V a, V x) {
    return a + x;
  }
};

template <class T>
struct Prod {
  using Lane = T;
  static constexpr T kNeutral = 1;
  template <class V>
  static HWY_INLINE V combine(V a, V x) {
    return a * x;
  }
};
template <class T>
struct Prod<Pair<T>> {
  using Lane = Pair<T>;
  static constexpr Pair<T> kNeutral = {1, 0};
  static HWY_INLINE bool is_neutral(Pair<T> a) { return a.re == 1 && std::bit_cast<UInt<sizeof(T)>>(a.im) == 0; }
  static HWY_INLINE Pair<T> combine(Pair<T> a, Pair<T> x) {
    // By the formula infinity times the neutral element is NaN.
    if (is_neutral(a)) return x;
    if (is_neutral(x)) return a;
    return product(a, x);
  }
};

/// min and max know which of them they are: floats go through End, below.
template <class T>
struct Min {
  using Lane = T;
  static constexpr bool kIsMin = true;
  static constexpr T kNeutral =
      std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  template <class V>
  static HWY_INLINE V combine(V a, V x) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, V>) return machine_min<T>(a, x);
    return minimum(a, x);
  }
};

template <class T>
struct Max {
  using Lane = T;
  static constexpr bool kIsMin = false;
  static constexpr T kNeutral =
      std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  template <class V>
  static HWY_INLINE V combine(V a, V x) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, V>) return machine_max<T>(a, x);
    return maximum(a, x);
  }
};

/// min and max of bool, as bytes.
struct MinOfBool : Min<std::uint8_t> {
  static constexpr std::uint8_t kNeutral = 1;
};
struct MaxOfBool : Max<std::uint8_t> {};

/// min or max of floats over groups of slots, as long as no NaN is met: the machine's
/// instruction, which takes zeros of either sign for equal and drops NaN, beside a sum, which is NaN once any element
/// is. The sum may turn NaN without one, from infinities; the caller then takes the slower way for nothing.
template <class C, int kVectors>
struct End {
  using T = typename C::Lane;
  using V = Vector<T>;

  V ends[kVectors];
  V sums[kVectors];

  HWY_INLINE explicit End(const V* slots) {
    PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) ends[k] = sums[k] = slots[k];
  }
  HWY_INLINE void fold(int k, V x) {
    keep_in_register(x);
    sums[k] += x;
    ends[k] = C::kIsMin ? machine_min<T>(x, ends[k]) : machine_max<T>(x, ends[k]);
  }
  HWY_INLINE bool is_clean() const {
    V sum = sums[0];
    PENSTOCK_UNROLL for (int k = 1; k < kVectors; ++k) sum += sums[k];
    return all_lanes_ordered<T>(sum);
  }
  HWY_INLINE bool has_zero() const {
    V sum{};
    // 0 divided by an end is NaN just where that is 0.
    PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) sum += T{0} / ends[k];
    return !all_lanes_ordered<T>(sum);
  }
};

/// The signs of all elements of the slots: where the end is 0 every element was on the same side of it, and a sign
/// among them is a zero's.
template <class C, int kVectors>
struct Signs {
  using T = typename C::Lane;
  using V = Vector<T>;
  using Bits = Vector<UInt<sizeof(T)>>;

  Bits signs[kVectors];

  HWY_INLINE explicit Signs(const V* slots) {
    PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) signs[k] = reinterpret_cast<Bits>(slots[k]);
  }
  HWY_INLINE void fold(int k, V x) {
    const Bits bits = reinterpret_cast<Bits>(x);
    signs[k] = C::kIsMin ? signs[k] | bits : signs[k] & bits;
  }
  HWY_INLINE V signed_zero(int k, V end) const {
    const Bits sign = signs[k] & (UInt<sizeof(T)>{1} << (8 * sizeof(T) - 1));
    return end == 0 ? reinterpret_cast<V>(sign) : end;
  }
};

template <class C>
struct Simple {
  using T = typename C::Lane;

  static void clear(void* state, std::int64_t, std::int64_t first, std::int64_t n) {
    T* a = static_cast<T*>(state) + first;
    for (std::int64_t i = 0; i < n; ++i) a[i] = C::kNeutral;
  }

  static HWY_FLATTEN void fold(void* state, std::int64_t, std::int64_t first, const void* x, std::int64_t n,
                               std::int64_t, std::int64_t, std::int64_t) {
    combine_slots(static_cast<T*>(state) + first, static_cast<const T*>(x), n);
  }

  static HWY_FLATTEN void merge(void* a, std::int64_t, std::int64_t a_first, const void* b, std::int64_t,
                                std::int64_t b_first, std::int64_t n, double, double) {
    combine_slots(static_cast<T*>(a) + a_first, static_cast<const T*>(b) + b_first, n);
  }

  static HWY_FLATTEN void collapse(void* state, std::int64_t lanes, std::int64_t channels, double) {
    T* a = static_cast<T*>(state);
    if (channels == 1 && lanes == kUsualLanes) {
      collapse_from<kUsualLanes / 2>(a);
    } else {
      for (std::int64_t half = lanes / 2 * channels; half >= channels; half /= 2) combine_slots(a, a + half, half);
    }
  }

  static HWY_FLATTEN void fold_groups(void* state, std::int64_t width, const void* x, std::int64_t stride,
                                      std::int64_t groups, std::int64_t, std::int64_t, std::int64_t) {
    const Groups all{static_cast<T*>(state), static_cast<const T*>(x), width, stride, groups};
    if constexpr (requires { C::kIsMin; }) {
      const std::int64_t head = elements_to_line(all.x);
      if (head > 0 && head < kUsualLanes && width == kUsualLanes && stride == width && groups > 1)
        return fold_from_line(all, head);
    }
    fold_whole(all);
  }

 private:
  static constexpr bool kIsFloatEnd = std::is_floating_point_v<T> && requires { C::kIsMin; };
  static constexpr bool kAnyOrder = std::is_integral_v<T> || kIsFloatEnd;

  static constexpr std::int64_t kUsualLanes = sizeof(T) <= 4 ? 64 : 32;
  static constexpr int kStreams = 4;

  /// Slot i with slot kHalf + i, then the same of half as many, their number known to the compiler.
  template <std::int64_t kHalf>
  static HWY_INLINE void collapse_from(T* a) {
    if constexpr (kHalf > 0) {
      PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < kHalf; ++i) a[i] = C::combine(a[i], a[i + kHalf]);
      collapse_from<kHalf / 2>(a);
    }
  }

  /// Elements before the next cache line.
  static HWY_INLINE std::int64_t elements_to_line(const T* x) {
    constexpr std::uintptr_t kLine = 64;
    const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(x) % kLine;
    return past == 0 ? 0 : static_cast<std::int64_t>((kLine - past) / sizeof(T));
  }

  static HWY_INLINE void combine_slots(T* a, const T* x, std::int64_t n) {
    PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < n; ++i) a[i] = C::combine(a[i], x[i]);
  }

  struct Groups {
    T* slots;
    const T* x;
    std::int64_t width;
    std::int64_t stride;
    std::int64_t groups;

    /// All groups of kVectors vectors of slots from `first` on, which stay in registers.
    template <int kVectors>
    HWY_INLINE void block(std::int64_t first) const {
      Vector<T> a[kVectors];
      PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) load_vector(slots + first + k * kLanesOf<T>, a[k]);
      if (!fold_ends(a, first)) fold_all(a, first);
      PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) store_vector(a[k], slots + first + k * kLanesOf<T>);
    }

    template <class V, int kVectors>
    HWY_INLINE void fold_all(V (&a)[kVectors], std::int64_t first) const {
      fold_into<V, kVectors>(first, [&](int k, V next) HWY_ATTR { a[k] = C::combine(a[k], next); });
    }

    /// fold(k, vector k of slots) for each group. Where order is free some groups far from each other are taken in
    /// turn: as many streams, which memory serves faster than one.
    template <class V, int kVectors, class F>
    HWY_INLINE void fold_into(std::int64_t first, const F& fold) const {
      const T* from = x + first;
      const auto group = [&](const T* at) HWY_ATTR {
        PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) {
          V next;
          load_vector(at + k * kLanesOf<T>, next);
          fold(k, next);
        }
      };
      std::int64_t g = 0;
      if constexpr (kAnyOrder) {
        constexpr std::int64_t kLong = 4096 / kVectors / static_cast<std::int64_t>(sizeof(V));  // groups
        if (const std::int64_t each = groups / kStreams; each >= kLong) {
          for (; g < each; ++g, from += stride) {
            PENSTOCK_UNROLL for (int s = 0; s < kStreams; ++s) group(from + s * each * stride);
          }
          g = kStreams * each;
          from = x + first + g * stride;
        }
      }
      for (; g < groups; ++g, from += stride) group(from);
    }

    /// Whether it could.
    template <class V, int kVectors>
    HWY_INLINE bool fold_ends(V (&a)[kVectors], std::int64_t first) const {
      if constexpr (kIsFloatEnd) {
        End<C, kVectors> end(a);
        fold_into<V, kVectors>(first, [&](int k, V next) HWY_ATTR { end.fold(k, next); });
        if (!end.is_clean()) return false;
        if (end.has_zero()) {
          Signs<C, kVectors> signs(a);
          fold_into<V, kVectors>(first, [&](int k, V next) HWY_ATTR { signs.fold(k, next); });
          PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) end.ends[k] = signs.signed_zero(k, end.ends[k]);
        }
        PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) a[k] = end.ends[k];
        return true;
      } else {
        return false;
      }
    }
  };

  static HWY_INLINE void fold_whole(const Groups& each) {
    std::int64_t first = 0;
    // An end keeps two registers a vector of slots, the others one.
    if constexpr (std::is_arithmetic_v<T>) first = for_blocks < T, kIsFloatEnd ? 4 : 8 > (each.width, each);
    for (std::int64_t g = 0; g < each.groups && first < each.width; ++g) {
      combine_slots(each.slots + first, each.x + g * each.stride + first, each.width - first);
    }
  }

  /// The same for groups that begin `head` elements before a cache line: vectors that straddle two take twice the time.
  /// The slots turn by `head`, and the elements before the first line and behind the last are folded by themselves, in
  /// whatever order, which min and max allow.
  static HWY_INLINE void fold_from_line(const Groups& all, std::int64_t head) {
    T turned[kUsualLanes];
    const std::int64_t tail = kUsualLanes - head;
    combine_slots(all.slots, all.x, head);
    combine_slots(all.slots + head, all.x + (all.groups - 1) * kUsualLanes + head, tail);
    std::rotate_copy(all.slots, all.slots + head, all.slots + kUsualLanes, turned);
    fold_whole({turned, all.x + head, kUsualLanes, kUsualLanes, all.groups - 1});
    std::rotate_copy(turned, turned + tail, turned + kUsualLanes, all.slots);
  }
};

template <class C>
Reducer simple_reducer() {
  using S = Simple<C>;
  Reducer reducer{1, sizeof(typename C::Lane), 0, S::clear, S::fold, S::fold_groups, S::merge, S::collapse};
  // Where order is free there is one leaf and no tree.
  if constexpr (kHasVectors && std::is_floating_point_v<typename C::Lane> && !requires { C::kIsMin; }) {
    reducer.fold_tree = Leaves<C>::fold_tree;
  }
  return reducer;
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
