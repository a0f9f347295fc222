// SPDX-License-Identifier: Apache-2.0
// argmin and argmax: a slot is a value and the index it came from, 8 bytes each.
#if defined(PENSTOCK_KERNEL_REDUCE_ARG_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_REDUCE_ARG_INL_H_
#undef PENSTOCK_KERNEL_REDUCE_ARG_INL_H_
#else
#define PENSTOCK_KERNEL_REDUCE_ARG_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "penstock/kernel/lanes-inl.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

/// Whether x beats v: strictly, so that the first of equals stays, and NaN beats every number.
template <class T>
struct ArgMin {
  using Lane = T;
  template <class V>
  static HWY_INLINE auto beats(V x, V v) {
    if constexpr (std::is_floating_point_v<T>) {
      return (x < v) | ((x != x) & (v == v));
    } else {
      return x < v;
    }
  }
};
template <class T>
struct ArgMax {
  using Lane = T;
  template <class V>
  static HWY_INLINE auto beats(V x, V v) {
    if constexpr (std::is_floating_point_v<T>) {
      return (x > v) | ((x != x) & (v == v));
    } else {
      return x > v;
    }
  }
};

template <class C>
struct Arg {
  using T = typename C::Lane;

  /// The two fields of a state.
  struct Slots {
    std::byte* values;
    std::int64_t* indices;
    Slots(void* state, std::int64_t width)
        : values(static_cast<std::byte*>(state)), indices(static_cast<std::int64_t*>(state) + width) {}
    HWY_INLINE T value(std::int64_t s) const {
      T v;
      std::memcpy(&v, values + 8 * s, sizeof v);
      return v;
    }
    HWY_INLINE void set(std::int64_t s, T v, std::int64_t index) const {
      std::memcpy(values + 8 * s, &v, sizeof v);
      indices[s] = index;
    }
    /// Takes a later element if it wins.
    HWY_INLINE void fold(std::int64_t s, T v, std::int64_t index) const {
      if (indices[s] < 0 || C::beats(v, value(s))) set(s, v, index);
    }
  };

  static void clear(void* state, std::int64_t width, std::int64_t first, std::int64_t n) {
    const Slots a(state, width);
    if (n > 0) std::memset(a.values + 8 * first, 0, static_cast<std::size_t>(8 * n));
    std::fill_n(a.indices + first, std::max<std::int64_t>(n, 0), std::int64_t{-1});
  }

  static void fold(void* state, std::int64_t width, std::int64_t first, const void* x, std::int64_t n,
                   std::int64_t position, std::int64_t channels, std::int64_t) {
    const Slots a(state, width);
    for (std::int64_t i = 0; i < n; ++i) a.fold(first + i, static_cast<const T*>(x)[i], (position + i) / channels);
  }

  static void merge(void* a, std::int64_t a_width, std::int64_t a_first, const void* b, std::int64_t b_width,
                    std::int64_t b_first, std::int64_t n, double, double) {
    const Slots into(a, a_width);
    const Slots from(const_cast<void*>(b), b_width);
    for (std::int64_t i = 0; i < n; ++i) merge_slot(into, a_first + i, from, b_first + i);
  }

  static void collapse(void* state, std::int64_t lanes, std::int64_t channels, double) {
    const Slots a(state, lanes * channels);
    for (std::int64_t half = lanes / 2 * channels; half >= channels; half /= 2) {
      for (std::int64_t i = 0; i < half; ++i) merge_slot(a, i, a, i + half);
    }
  }

  static HWY_FLATTEN void fold_groups(void* state, std::int64_t width, const void* x, std::int64_t groups,
                                      std::int64_t position, std::int64_t channels, std::int64_t) {
    if (groups <= 0) return;
    const Slots a(state, width);
    // A block counts groups in lanes as wide as the elements: few enough at a time for one byte.
    constexpr std::int64_t kMost = 64;
    for (std::int64_t g = 0; g < groups; g += kMost) {
      const Groups each{
          a, static_cast<const T*>(x) + g * width, width, std::min(kMost, groups - g), position + g * width, channels};
      for (std::int64_t first = for_blocks<T, 4>(width, each); first < width; ++first) each.slot(first);
    }
  }

 private:
  static HWY_INLINE void merge_slot(const Slots& a, std::int64_t i, const Slots& b, std::int64_t j) {
    if (b.indices[j] < 0) return;
    const T x = b.value(j);
    const T v = a.value(i);
    const bool tie = !C::beats(x, v) && !C::beats(v, x);
    if (a.indices[i] < 0 || C::beats(x, v) || (tie && b.indices[j] < a.indices[i])) a.set(i, x, b.indices[j]);
  }

  struct Groups {
    Slots slots;
    const T* x;
    std::int64_t width;
    std::int64_t groups;
    std::int64_t position;
    std::int64_t channels;

    HWY_INLINE std::int64_t index(std::int64_t g, std::int64_t s) const {
      return (position + g * width + s) / channels;
    }

    HWY_INLINE void slot(std::int64_t s) const {
      for (std::int64_t g = 0; g < groups; ++g) slots.fold(s, x[g * width + s], index(g, s));
    }

    /// All groups of kVectors vectors of slots from `first` on: values and numbers of winning groups stay in registers.
    template <int kVectors>
    HWY_INLINE void block(std::int64_t first) const {
      constexpr std::int64_t kSlots = kVectors * kLanesOf<T>;
      using G = Lane<Mask<T>>;
      T values[kSlots];
      G won[kSlots];
      for (std::int64_t s = 0; s < kSlots; ++s) {
        if (slots.indices[first + s] < 0) slots.set(first + s, x[first + s], index(0, first + s));
        values[s] = slots.value(first + s);
      }
      play<kVectors>(x + first, values, won);
      for (std::int64_t s = 0; s < kSlots; ++s) {
        if (won[s] >= 0) slots.set(first + s, values[s], index(won[s], first + s));
      }
    }

    template <int kVectors, class G>
    HWY_INLINE void play(const T* from, T* values, G* won) const {
      Vector<T> v[kVectors];
      Mask<T> w[kVectors];
      _Pragma("GCC unroll 8") for (int k = 0; k < kVectors; ++k) {
        load_vector(values + k * kLanesOf<T>, v[k]);
        w[k] = Mask<T>{} - 1;
      }
      Mask<T> group = {};
      for (std::int64_t g = 0; g < groups; ++g, from += width) {
        _Pragma("GCC unroll 8") for (int k = 0; k < kVectors; ++k) {
          Vector<T> next;
          load_vector(from + k * kLanesOf<T>, next);
          const auto better = C::beats(next, v[k]);
          v[k] = better ? next : v[k];
          w[k] = better ? group : w[k];
        }
        group += 1;
      }
      _Pragma("GCC unroll 8") for (int k = 0; k < kVectors; ++k) {
        store_vector(v[k], values + k * kLanesOf<T>);
        store_vector(w[k], won + k * kLanesOf<T>);
      }
    }
  };
};

template <class C>
Reducer arg_reducer() {
  using A = Arg<C>;
  return {2, 8, 1, A::clear, A::fold, A::fold_groups, A::merge, A::collapse};
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
