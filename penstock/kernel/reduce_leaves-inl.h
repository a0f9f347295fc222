// SPDX-License-Identifier: Apache-2.0
// Many whole leaves of the reductions' tree (run/fold.h) in one call, of float sums and products.
#if defined(PENSTOCK_KERNEL_REDUCE_LEAVES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_REDUCE_LEAVES_INL_H_
#undef PENSTOCK_KERNEL_REDUCE_LEAVES_INL_H_
#else
#define PENSTOCK_KERNEL_REDUCE_LEAVES_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "penstock/kernel/lanes-inl.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

/// `C` combines a slot with an element, as in kernel/reduce_simple-inl.h.
template <class C>
class Leaves {
 public:
  using T = typename C::Lane;

  static HWY_FLATTEN void fold_tree(const void* x, std::int64_t leaves, void* node) {
    T nodes[kMostLeaves];
    const T* from = static_cast<const T*>(x);
    if (const std::int64_t before = elements_before(from); kTurns && before > 0)
      fold_all_leaves<true>(from - before, before, leaves, nodes);
    else
      fold_all_leaves<false>(from, 0, leaves, nodes);
    for (std::int64_t half = leaves / 2; half > 0; half /= 2) {
      for (std::int64_t i = 0; i < half; ++i) nodes[i] = C::combine(nodes[2 * i], nodes[2 * i + 1]);
    }
    *static_cast<T*>(node) = nodes[0];
  }

 private:
  static constexpr std::int64_t kLeafLanes = lanes_of(kDTypeOf<T>);
  static constexpr std::int64_t kLeaf = kLeafLanes * kLeafGroups;
  static constexpr int kStreams = 4;

  /// Vectors of a group of lanes, and as many of them for each of kLeaves leaves as stay in registers on every target.
  static constexpr int kVectors = static_cast<int>(kLeafLanes / kLanesOf<T>);
  template <int kLeaves>
  static constexpr int kAtOnce = std::min(kVectors, (HWY_MAX_BYTES == 64 ? 16 : 8) / kLeaves);
  /// Whether vectors are as long as lines: unless they begin with one, each straddles two and takes twice the time.
  static constexpr bool kTurns = HWY_MAX_BYTES == 64 && kAtOnce<kStreams> == kVectors;

  /// Some leaves at once are as many streams, which memory serves faster than one.
  template <bool kTurned>
  static HWY_INLINE void fold_all_leaves(const T* x, std::int64_t before, std::int64_t leaves, T* nodes) {
    std::int64_t leaf = 0;
    for (; leaf + kStreams <= leaves; leaf += kStreams)
      fold_leaves<kStreams, kTurned>(x + leaf * kLeaf, before, nodes + leaf);
    for (; leaf < leaves; ++leaf) fold_leaves<1, kTurned>(x + leaf * kLeaf, before, nodes + leaf);
  }

  /// The values of kLeaves neighbouring leaves; each slot's order is its own. Turned: whole lines are folded, of which
  /// the first begins `before` elements before the first leaf, so that each slot stands `before` places later, the last
  /// ones first. Halves meet as they would: places are equally far from each other, and either operand may come first.
  template <int kLeaves, bool kTurned>
  static HWY_INLINE void fold_leaves(const T* x, std::int64_t before, T* nodes) {
    constexpr int kSome = kAtOnce<kLeaves>;
    const Mask<T> own = counted<T>(0) >= static_cast<std::make_signed_t<UInt<sizeof(T)>>>(before);
    const Vector<T> neutral = C::kNeutral - Vector<T>{};
    Vector<T> lanes[kLeaves][kVectors];
    for (int first = 0; first < kVectors; first += kSome) {
      const auto load = [&](int leaf, std::int64_t group, int k) HWY_ATTR {
        Vector<T> v;
        load_vector(x + leaf * kLeaf + group * kLeafLanes + (first + k) * kLanesOf<T>, v);
        return v;
      };
      Vector<T> a[kLeaves][kSome];
      PENSTOCK_UNROLL for (int leaf = 0; leaf < kLeaves; ++leaf) {
        PENSTOCK_UNROLL for (int k = 0; k < kSome; ++k) a[leaf][k] = load(leaf, 0, k);
        if constexpr (kTurned) a[leaf][0] = own ? a[leaf][0] : neutral;
      }
      for (std::int64_t g = 1; g < kLeafGroups; ++g) {
        PENSTOCK_UNROLL for (int leaf = 0; leaf < kLeaves; ++leaf) {
          PENSTOCK_UNROLL for (int k = 0; k < kSome; ++k) a[leaf][k] = C::combine(a[leaf][k], load(leaf, g, k));
        }
      }
      PENSTOCK_UNROLL for (int leaf = 0; leaf < kLeaves; ++leaf) {
        if constexpr (kTurned) a[leaf][0] = C::combine(a[leaf][0], own ? neutral : load(leaf, kLeafGroups, 0));
        PENSTOCK_UNROLL for (int k = 0; k < kSome; ++k) lanes[leaf][first + k] = a[leaf][k];
      }
    }
    PENSTOCK_UNROLL for (int leaf = 0; leaf < kLeaves; ++leaf) nodes[leaf] = halved<kVectors / 2>(lanes[leaf]);
  }

  /// The halves that are whole vectors, then those of one.
  template <int kHalf>
  static HWY_INLINE T halved(Vector<T> (&lanes)[kVectors]) {
    if constexpr (kHalf > 0) {
      PENSTOCK_UNROLL for (int k = 0; k < kHalf; ++k) lanes[k] = C::combine(lanes[k], lanes[k + kHalf]);
      return halved<kHalf / 2>(lanes);
    } else {
      return merged_lanes<T>(lanes[0], [](Vector<T> a, Vector<T> b) HWY_ATTR { return C::combine(a, b); });
    }
  }
};

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
