// SPDX-License-Identifier: Apache-2.0
// argmin and argmax: a slot is a value and the index it came from, 8 bytes each.
#if defined(PENSTOCK_KERNEL_REDUCE_ARG_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_REDUCE_ARG_INL_H_
#undef PENSTOCK_KERNEL_REDUCE_ARG_INL_H_
#else
#define PENSTOCK_KERNEL_REDUCE_ARG_INL_H_
#endif

#include <algorithm>
#include <bit>
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

  static HWY_FLATTEN void merge(void* a, std::int64_t a_width, std::int64_t a_first, const void* b,
                                std::int64_t b_width, std::int64_t b_first, std::int64_t n, double, double) {
    const Slots into(a, a_width);
    const Slots from(const_cast<void*>(b), b_width);
    merge_slots(into, a_first, from, b_first, n);
  }

  static HWY_FLATTEN void collapse(void* state, std::int64_t lanes, std::int64_t channels, double) {
    const Slots a(state, lanes * channels);
    for (std::int64_t half = lanes / 2 * channels; half >= channels; half /= 2) merge_slots(a, 0, a, half, half);
  }

  static HWY_FLATTEN void fold_groups(void* state, std::int64_t width, const void* x, std::int64_t stride,
                                      std::int64_t groups, std::int64_t position, std::int64_t channels, std::int64_t) {
    if (groups <= 0) return;
    const Slots a(state, width);
    // A block counts groups in lanes as wide as the elements: few enough at a time for one byte.
    constexpr std::int64_t kMost = 64;
    for (std::int64_t g = 0; g < groups; g += kMost) {
      const Groups each{a,       static_cast<const T*>(x) + g * stride, width,
                        stride,  std::min(kMost, groups - g),           position + g * width,
                        channels};
      for (std::int64_t first = for_blocks<T, 4>(width, each); first < width; ++first) each.slot(first);
    }
  }

 private:
  using Word = std::uint64_t;

  static HWY_INLINE T value_of(Word word) {
    if constexpr (std::endian::native == std::endian::little) {
      return std::bit_cast<T>(static_cast<UInt<sizeof(T)>>(word));
    } else {
      return std::bit_cast<T>(static_cast<UInt<sizeof(T)>>(word >> (64 - 8 * sizeof(T))));
    }
  }

  static HWY_INLINE Word word_of(T value) {
    const Word word = std::bit_cast<UInt<sizeof(T)>>(value);
    return std::endian::native == std::endian::little ? word : word << (64 - 8 * sizeof(T));
  }

  /// Slots [to, to + n) of a take over slots [from, from + n) of b where those win; without branches, which no
  /// predictor would foresee.
  static HWY_INLINE void merge_slots(const Slots& a, std::int64_t to, const Slots& b, std::int64_t from,
                                     std::int64_t n) {
    Word* v = reinterpret_cast<Word*>(a.values) + to;
    const Word* x = reinterpret_cast<const Word*>(b.values) + from;
    std::int64_t* i = a.indices + to;
    const std::int64_t* j = b.indices + from;
    PENSTOCK_INDEPENDENT for (std::int64_t s = 0; s < n; ++s) {
      const T x_value = value_of(x[s]);
      const T v_value = value_of(v[s]);
      const bool wins = C::beats(x_value, v_value);
      const bool loses = C::beats(v_value, x_value);
      const bool earlier = !loses & (j[s] < i[s]);
      const bool takes = (j[s] >= 0) & ((i[s] < 0) | wins | earlier);
      v[s] = takes ? x[s] : v[s];
      i[s] = takes ? j[s] : i[s];
    }
  }

  struct Groups {
    Slots slots;
    const T* x;
    std::int64_t width;
    std::int64_t stride;
    std::int64_t groups;
    std::int64_t position;
    std::int64_t channels;

    HWY_INLINE std::int64_t index(std::int64_t g, std::int64_t s) const {
      const std::int64_t place = position + g * width + s;
      return channels == 1 ? place : place / channels;
    }

    HWY_INLINE void slot(std::int64_t s) const {
      for (std::int64_t g = 0; g < groups; ++g) slots.fold(s, x[g * stride + s], index(g, s));
    }

    /// All groups of kVectors vectors of slots from `first` on: values and numbers of winning groups stay in registers.
    template <int kVectors>
    HWY_INLINE void block(std::int64_t first) const {
      constexpr std::int64_t kSlots = kVectors * kLanesOf<T>;
      T values[kSlots];
      using Group = Lane<Mask<T>>;
      Group won[kSlots];
      std::int64_t unseen = 0;
      for (std::int64_t s = 0; s < kSlots; ++s) unseen += slots.indices[first + s] < 0;
      if (unseen == kSlots) {
        // The usual case, the start of a leaf: the first group wins until a later one does.
        std::memcpy(values, x + first, sizeof values);
        play<kVectors>(Group{0}, x + first, values, won);
        if (channels == 1) {
          set_all(first, values, won, kSlots);
        } else {
          for (std::int64_t s = 0; s < kSlots; ++s) slots.set(first + s, values[s], index(won[s], first + s));
        }
        return;
      }
      for (std::int64_t s = 0; s < kSlots; ++s) {
        if (slots.indices[first + s] < 0) slots.set(first + s, x[first + s], index(0, first + s));
        values[s] = slots.value(first + s);
      }
      play<kVectors>(Group{-1}, x + first, values, won);
      for (std::int64_t s = 0; s < kSlots; ++s) {
        if (won[s] >= 0) slots.set(first + s, values[s], index(won[s], first + s));
      }
    }

    /// Sets slots [first, first + n), each index that of its place.
    template <class G>
    HWY_INLINE void set_all(std::int64_t first, const T* values, const G* won, std::int64_t n) const {
      Word* words = reinterpret_cast<Word*>(slots.values) + first;
      std::int64_t* indices = slots.indices + first;
      const std::int64_t base = position + first;
      PENSTOCK_INDEPENDENT for (std::int64_t s = 0; s < n; ++s) words[s] = word_of(values[s]);
      PENSTOCK_INDEPENDENT for (std::int64_t s = 0; s < n; ++s) indices[s] = base + s + won[s] * width;
    }

    /// Lets the groups play against `values`, whose group is numbered `holder`.
    template <int kVectors, class G>
    HWY_INLINE void play(G holder, const T* from, T* values, G* won) const {
      Vector<T> v[kVectors];
      Mask<T> w[kVectors];
      PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) {
        load_vector(values + k * kLanesOf<T>, v[k]);
        w[k] = Mask<T>{} + holder;
      }
      Mask<T> group = {};
      for (std::int64_t g = 0; g < groups; ++g, from += stride) {
        PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) {
          Vector<T> next;
          load_vector(from + k * kLanesOf<T>, next);
          const auto better = C::beats(next, v[k]);
          v[k] = better ? next : v[k];
          w[k] = better ? group : w[k];
        }
        group += 1;
      }
      PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) {
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
