// SPDX-License-Identifier: Apache-2.0
// Mean and sum of squared deviations: Welford's update a slot, merged by the formula of Chan, Golub and LeVeque.
#if defined(PENSTOCK_KERNEL_REDUCE_MOMENTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_REDUCE_MOMENTS_INL_H_
#undef PENSTOCK_KERNEL_REDUCE_MOMENTS_INL_H_
#else
#define PENSTOCK_KERNEL_REDUCE_MOMENTS_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "penstock/kernel/lanes-inl.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

template <class T>
struct Moments {
  /// One over the number of elements, itself included, that the next element of each slot makes.
  static HWY_INLINE T next_reciprocal(std::int64_t seen) { return static_cast<T>(1.0 / static_cast<double>(seen + 1)); }

  /// V is T or a vector of it.
  template <class V>
  static HWY_INLINE void update(V& mean, V& m2, V x, T reciprocal) {
    const V delta = x - mean;
    mean += delta * reciprocal;
    m2 += delta * (x - mean);
  }

  static void clear(void* state, std::int64_t width, std::int64_t first, std::int64_t n) {
    T* mean = static_cast<T*>(state) + first;
    for (std::int64_t i = 0; i < n; ++i) mean[i] = mean[width + i] = 0;
  }

  static HWY_FLATTEN void fold(void* state, std::int64_t width, std::int64_t first, const void* x, std::int64_t n,
                               std::int64_t, std::int64_t, std::int64_t seen) {
    T* mean = static_cast<T*>(state) + first;
    fold_slots(mean, mean + width, static_cast<const T*>(x), n, next_reciprocal(seen));
  }

  static HWY_FLATTEN void fold_groups(void* state, std::int64_t width, const void* x, std::int64_t stride,
                                      std::int64_t groups, std::int64_t, std::int64_t, std::int64_t seen) {
    T* mean = static_cast<T*>(state);
    const Groups each{mean, mean + width, static_cast<const T*>(x), stride, groups, seen};
    const std::int64_t first = for_blocks<T, 4>(width, each);
    for (std::int64_t g = 0; g < groups && first < width; ++g) {
      fold_slots(mean + first, mean + width + first, each.x + g * stride + first, width - first,
                 next_reciprocal(seen + g));
    }
  }

  static HWY_FLATTEN void merge(void* a, std::int64_t a_width, std::int64_t a_first, const void* b,
                                std::int64_t b_width, std::int64_t b_first, std::int64_t n, double na, double nb) {
    T* mean = static_cast<T*>(a) + a_first;
    const T* other = static_cast<const T*>(b) + b_first;
    merge_slots(mean, mean + a_width, other, other + b_width, n, na, nb);
  }

  static HWY_FLATTEN void collapse(void* state, std::int64_t lanes, std::int64_t channels, double seen) {
    T* mean = static_cast<T*>(state);
    T* m2 = mean + lanes * channels;
    for (std::int64_t half = lanes / 2 * channels; half >= channels; half /= 2, seen *= 2) {
      merge_slots(mean, m2, mean + half, m2 + half, half, seen, seen);
    }
  }

 private:
  static HWY_INLINE void fold_slots(T* mean, T* m2, const T* x, std::int64_t n, T reciprocal) {
    PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < n; ++i) update(mean[i], m2[i], x[i], reciprocal);
  }

  static HWY_INLINE void merge_slots(T* mean, T* m2, const T* b_mean, const T* b_m2, std::int64_t n, double na,
                                     double nb) {
    if (nb == 0) return;
    if (na == 0) {
      std::copy_n(b_mean, std::max<std::int64_t>(n, 0), mean);
      std::copy_n(b_m2, std::max<std::int64_t>(n, 0), m2);
      return;
    }
    const T share = static_cast<T>(nb / (na + nb));
    const T weight = static_cast<T>(na * (nb / (na + nb)));
    PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < n; ++i) {
      const T delta = b_mean[i] - mean[i];
      mean[i] += delta * share;
      m2[i] += b_m2[i] + delta * delta * weight;
    }
  }

  struct Groups {
    T* mean;
    T* m2;
    const T* x;
    std::int64_t stride;
    std::int64_t groups;
    std::int64_t seen;

    /// All groups of kVectors vectors of slots from `first` on, which stay in registers.
    template <int kVectors>
    HWY_INLINE void block(std::int64_t first) const {
      Vector<T> a[kVectors];
      Vector<T> b[kVectors];
      PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) {
        load_vector(mean + first + k * kLanesOf<T>, a[k]);
        load_vector(m2 + first + k * kLanesOf<T>, b[k]);
      }
      const T* from = x + first;
      for (std::int64_t g = 0; g < groups; ++g, from += stride) {
        const T reciprocal = next_reciprocal(seen + g);
        PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) {
          Vector<T> next;
          load_vector(from + k * kLanesOf<T>, next);
          update(a[k], b[k], next, reciprocal);
        }
      }
      PENSTOCK_UNROLL for (int k = 0; k < kVectors; ++k) {
        store_vector(a[k], mean + first + k * kLanesOf<T>);
        store_vector(b[k], m2 + first + k * kLanesOf<T>);
      }
    }
  };
};

template <class T>
Reducer moments_reducer() {
  using M = Moments<T>;
  return {2, sizeof(T), 1, M::clear, M::fold, M::fold_groups, M::merge, M::collapse};
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
