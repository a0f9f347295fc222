// SPDX-License-Identifier: Apache-2.0
// The sum of x[i] y[i] along the tree of the reductions: 16 products in each of the virtual lanes make a leaf, the
// lanes are added by halves, the leaves as a binary tree.
#if defined(PENSTOCK_KERNEL_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_DOT_INL_H_
#undef PENSTOCK_KERNEL_DOT_INL_H_
#else
#define PENSTOCK_KERNEL_DOT_INL_H_
#endif

#include <utility>

#include "penstock/kernel/product-inl.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
/// Of the elements of a and then b, those that `places` names.
HWY_INLINE Vector<float> joined(Vector<float> a, Vector<float> b, Mask<float> places) {
  return reinterpret_cast<Vector<float>>(_mm512_permutex2var_ps(
      reinterpret_cast<__m512>(a), reinterpret_cast<__m512i>(places), reinterpret_cast<__m512>(b)));
}
HWY_INLINE Vector<double> joined(Vector<double> a, Vector<double> b, Mask<double> places) {
  return reinterpret_cast<Vector<double>>(_mm512_permutex2var_pd(
      reinterpret_cast<__m512d>(a), reinterpret_cast<__m512i>(places), reinterpret_cast<__m512d>(b)));
}
template <class T>
inline constexpr bool kJoins = std::is_floating_point_v<T>;
#else
template <class V, class P>
HWY_INLINE V joined(V a, V /*b*/, P /*places*/) {
  return a;
}
template <class T>
inline constexpr bool kJoins = false;
#endif

// A vector that straddles two lines of the cache takes twice the time to load, and vectors as long as a line all do
// unless they begin with one: then whole lines are loaded. No line is touched in which no element lies.

template <class A, bool kComplex>
struct Dots {
  using T = typename A::Lane;
  using R = Register<T>;
  using V = typename R::V;
  static constexpr std::int64_t kHalves = kComplex ? 2 : 1;
  static constexpr std::int64_t kLanes = kHalves * sizeof(T) <= 4 ? 64 : 32;
  static constexpr std::int64_t kLeaf = kLanes * kLeafGroups;
  static constexpr std::int64_t kVectors = kLanes / R::kLanes;
  /// Vectors of sums that stay in registers beside what they are made of.
  static constexpr std::int64_t kAtOnce = kVectors < (kComplex ? 2 : 8) ? kVectors : (kComplex ? 2 : 8);

  struct Sum {
    T halves[kHalves];
  };

  static HWY_INLINE void dot(const void* x, const void* y, std::int64_t n, void* out) {
    Sum nodes[kDotLeaves];
    const T* a = static_cast<const T*>(x);
    const T* b = static_cast<const T*>(y);
    std::int64_t leaves = n / kLeaf;
    whole_leaves(a, b, leaves, nodes);
    const std::int64_t done = leaves * kLeaf;
    if (done < n) nodes[leaves++] = part_of_leaf(a + done * kHalves, b + done * kHalves, n - done);
    if (leaves == 0) nodes[leaves++] = Sum{};
    // Pairs by leaf index; a node without a neighbour goes up as it is.
    for (; leaves > 1; leaves = (leaves + 1) / 2) {
      for (std::int64_t i = 0; i < leaves / 2; ++i) nodes[i] = sum(nodes[2 * i], nodes[2 * i + 1]);
      if (leaves % 2 != 0) nodes[leaves / 2] = nodes[leaves - 1];
    }
    std::memcpy(out, &nodes[0], sizeof nodes[0]);
  }
  static HWY_FLATTEN void dot_any(const void* x, const void* y, std::int64_t n, void* out) { dot(x, y, n, out); }
  /// For CPUs with FMA.
  static PENSTOCK_FUSED HWY_FLATTEN void dot_fused(const void* x, const void* y, std::int64_t n, void* out) {
    dot(x, y, n, out);
  }

  static void merge(void* a, const void* b) {
    Sum left;
    Sum right;
    std::memcpy(&left, a, sizeof left);
    std::memcpy(&right, b, sizeof right);
    left = sum(left, right);
    std::memcpy(a, &left, sizeof left);
  }

 private:
  static HWY_INLINE Sum sum(Sum a, Sum b) {
    for (int half = 0; half < kHalves; ++half) a.halves[half] = A::add(a.halves[half], b.halves[half]);
    return a;
  }

  static HWY_INLINE void whole_leaves(const T* a, const T* b, std::int64_t leaves, Sum* nodes) {
    if constexpr (kJoins<T> && !kComplex) {
      if (elements_before(a) == 0) std::swap(a, b);
      const std::int64_t before = elements_before(a);
      if (before > 0 && before == elements_before(b)) return turned_leaves<false>(a, b, leaves, nodes);
      if (before > 0) return turned_leaves<true>(a, b, leaves, nodes);
    }
    for (std::int64_t i = 0; i < leaves; ++i, a += kLeaf * kHalves, b += kLeaf * kHalves) nodes[i] = plain_leaf(a, b);
  }

  /// Leaves of operands of which `a` begins within a line: its lines are multiplied as they lie, with lines of b or,
  /// where b begins elsewhere in a line, with what is joined of two. Each lane stands as many places later as there are
  /// elements before a, the last ones first; halves meet as they would.
  template <bool kJoin>
  static HWY_INLINE void turned_leaves(const T* a, const T* b, std::int64_t leaves, Sum* nodes) {
    static_assert(kAtOnce == kVectors || !kJoins<T>);
    constexpr std::int64_t kLines = kLeafGroups * kAtOnce;
    const std::int64_t before = elements_before(a);
    const std::int64_t apart = (elements_before(b) - before + R::kLanes) % R::kLanes;
    a -= before;
    b -= before + apart;
    const bool begins_in_first = before + apart < R::kLanes;
    const bool ends_in_last = before + apart > R::kLanes;
    const Mask<T> head = counted<T>(0) >= static_cast<std::make_signed_t<UInt<sizeof(T)>>>(before);
    const Mask<T> places_of_b = counted<T>(apart);
    const auto line = [](const T* from, std::int64_t i) { return R::load(from + i * R::kLanes); };
    const auto part = [](V v, Mask<T> lanes) { return reinterpret_cast<V>(reinterpret_cast<Mask<T>>(v) & lanes); };
    for (std::int64_t leaf = 0; leaf < leaves; ++leaf, a += kLeaf, b += kLeaf) {
      V last = line(b, kJoin && !begins_in_first);
      const auto meets = [&](std::int64_t i) {
        if constexpr (!kJoin) return line(b, i);
        const V first = last;
        last = line(b, i + 1);
        return joined(first, last, places_of_b);
      };
      V sums[kAtOnce];
      sums[0] = A::multiply_add(part(line(a, 0), head), part(meets(0), head), V{});
      PENSTOCK_UNROLL for (int k = 1; k < kAtOnce; ++k) sums[k] = A::multiply_add(line(a, k), meets(k), V{});
      for (std::int64_t g = kAtOnce; g < kLines; g += kAtOnce) {
        PENSTOCK_UNROLL for (int k = 0; k < kAtOnce; ++k) sums[k] =
            A::multiply_add(line(a, g + k), meets(g + k), sums[k]);
      }
      const V end = kJoin ? joined(last, line(b, kLines + ends_in_last), places_of_b) : line(b, kLines);
      sums[0] = A::multiply_add(part(line(a, kLines), ~head), part(end, ~head), sums[0]);
      nodes[leaf] = collapsed(sums);
    }
  }

  static HWY_INLINE Sum plain_leaf(const T* a, const T* b) {
    T lanes[kHalves][kLanes];
    for (std::int64_t first = 0; first < kLanes; first += kAtOnce * R::kLanes) {
      V sums[kHalves][kAtOnce];
      PENSTOCK_UNROLL for (int half = 0; half < kHalves; ++half) {
        PENSTOCK_UNROLL for (int k = 0; k < kAtOnce; ++k) sums[half][k] = V{};
      }
      for (std::int64_t g = 0; g < kLeafGroups; ++g) {
        const std::int64_t at = (g * kLanes + first) * kHalves;
        PENSTOCK_UNROLL for (int k = 0; k < kAtOnce; ++k) {
          const std::int64_t here = at + k * R::kLanes * kHalves;
          if constexpr (kComplex)
            step_complex(a + here, b + here, sums[0][k], sums[1][k]);
          else
            sums[0][k] = A::multiply_add(R::load(a + here), R::load(b + here), sums[0][k]);
        }
      }
      if constexpr (kAtOnce == kVectors && !kComplex) return collapsed(sums[0]);
      PENSTOCK_UNROLL for (int half = 0; half < kHalves; ++half) {
        PENSTOCK_UNROLL for (int k = 0; k < kAtOnce; ++k) R::store(sums[half][k], lanes[half] + first + k * R::kLanes);
      }
    }
    return collapsed(lanes);
  }

  static HWY_INLINE Sum part_of_leaf(const T* a, const T* b, std::int64_t n) {
    // What is missing counts as 0 times 0, which changes no sum: none of them is -0.
    alignas(sizeof(V)) T left[kLeaf * kHalves] = {};
    alignas(sizeof(V)) T right[kLeaf * kHalves] = {};
    const auto bytes = static_cast<std::size_t>(n * kHalves) * sizeof(T);
    std::memcpy(left, a, bytes);
    std::memcpy(right, b, bytes);
    return plain_leaf(left, right);
  }

  static HWY_INLINE void step_complex(const T* a, const T* b, V& re, V& im) {
    T parts[4][R::kLanes];
    for (std::int64_t i = 0; i < R::kLanes; ++i) {
      parts[0][i] = a[2 * i];
      parts[1][i] = a[2 * i + 1];
      parts[2][i] = b[2 * i];
      parts[3][i] = b[2 * i + 1];
    }
    const V a_re = R::load(parts[0]);
    const V a_im = R::load(parts[1]);
    const V b_re = R::load(parts[2]);
    const V b_im = R::load(parts[3]);
    if constexpr (kComplex) {
      re = A::subtract_product(a_im, b_im, A::multiply_add(a_re, b_re, re));
      im = A::multiply_add(a_im, b_re, A::multiply_add(a_re, b_im, im));
    }
  }

  template <int kHalf>
  static HWY_INLINE void add_vectors(V (&sums)[kAtOnce]) {
    if constexpr (kHalf > 0) {
      PENSTOCK_UNROLL for (int k = 0; k < kHalf; ++k) sums[k] = A::add_all(sums[k], sums[k + kHalf]);
      add_vectors<kHalf / 2>(sums);
    }
  }

  /// The halves that are whole vectors are added in registers.
  static HWY_INLINE Sum collapsed(V (&sums)[kAtOnce]) {
    add_vectors<kAtOnce / 2>(sums);
    Sum all{};
    if constexpr (std::is_same_v<V, T>)
      all.halves[0] = sums[0];
    else
      all.halves[0] = merged_lanes<T>(sums[0], [](V one, V other) HWY_ATTR { return A::add_all(one, other); });
    return all;
  }

  static HWY_INLINE Sum collapsed(T (&lanes)[kHalves][kLanes]) {
    Sum all;
    for (int half = 0; half < kHalves; ++half) {
      halve<kLanes / 2>(lanes[half]);
      all.halves[half] = lanes[half][0];
    }
    return all;
  }

  /// Lane i with lane i + kHalf, then the same of half as many.
  template <std::int64_t kHalf>
  static HWY_INLINE void halve(T* lanes) {
    if constexpr (kHalf > 0) {
      PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < kHalf; ++i) lanes[i] = A::add(lanes[i], lanes[i + kHalf]);
      halve<kHalf / 2>(lanes);
    }
  }
};

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
