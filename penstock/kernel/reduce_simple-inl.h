// SPDX-License-Identifier: Apache-2.0
// Reductions whose state is one value a slot: sum, prod, min, max.
#if defined(PENSTOCK_KERNEL_REDUCE_SIMPLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_REDUCE_SIMPLE_INL_H_
#undef PENSTOCK_KERNEL_REDUCE_SIMPLE_INL_H_
#else
#define PENSTOCK_KERNEL_REDUCE_SIMPLE_INL_H_
#endif

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "penstock/kernel/complex-inl.h"
#include "penstock/kernel/lanes-inl.h"
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

template <class T>
struct Min {
  using Lane = T;
  static constexpr T kNeutral =
      std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  template <class V>
  static HWY_INLINE V combine(V a, V x) {
    return minimum(a, x);
  }
};

template <class T>
struct Max {
  using Lane = T;
  static constexpr T kNeutral =
      std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  template <class V>
  static HWY_INLINE V combine(V a, V x) {
    return maximum(a, x);
  }
};

/// min and max of bool, as bytes.
struct MinOfBool : Min<std::uint8_t> {
  static constexpr std::uint8_t kNeutral = 1;
};
struct MaxOfBool : Max<std::uint8_t> {};

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
    for (std::int64_t half = lanes / 2 * channels; half >= channels; half /= 2) combine_slots(a, a + half, half);
  }

  static HWY_FLATTEN void fold_groups(void* state, std::int64_t width, const void* x, std::int64_t groups, std::int64_t,
                                      std::int64_t, std::int64_t) {
    const Groups each{static_cast<T*>(state), static_cast<const T*>(x), width, groups};
    std::int64_t first = 0;
    if constexpr (std::is_arithmetic_v<T>) first = for_blocks<T, 8>(width, each);
    for (std::int64_t g = 0; g < groups && first < width; ++g) {
      combine_slots(each.slots + first, each.x + g * width + first, width - first);
    }
  }

 private:
  static HWY_INLINE void combine_slots(T* a, const T* x, std::int64_t n) {
    PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < n; ++i) a[i] = C::combine(a[i], x[i]);
  }

  struct Groups {
    T* slots;
    const T* x;
    std::int64_t width;
    std::int64_t groups;

    /// All groups of kVectors vectors of slots from `first` on, which stay in registers.
    template <int kVectors>
    HWY_INLINE void block(std::int64_t first) const {
      Vector<T> a[kVectors];
      _Pragma("GCC unroll 8") for (int k = 0; k < kVectors; ++k) load_vector(slots + first + k * kLanesOf<T>, a[k]);
      const T* from = x + first;
      for (std::int64_t g = 0; g < groups; ++g, from += width) {
        _Pragma("GCC unroll 8") for (int k = 0; k < kVectors; ++k) {
          Vector<T> next;
          load_vector(from + k * kLanesOf<T>, next);
          a[k] = C::combine(a[k], next);
        }
      }
      _Pragma("GCC unroll 8") for (int k = 0; k < kVectors; ++k) store_vector(a[k], slots + first + k * kLanesOf<T>);
    }
  };
};

template <class C>
Reducer simple_reducer() {
  using S = Simple<C>;
  return {1, sizeof(typename C::Lane), 0, S::clear, S::fold, S::fold_groups, S::merge, S::collapse};
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
