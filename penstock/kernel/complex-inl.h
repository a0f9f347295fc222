// SPDX-License-Identifier: Apache-2.0
// Products and quotients of complex numbers.
//
// g++ 12 fuses a product followed by alternating sums and differences into one vfmaddsub, in spite of
// -ffp-contract=off. Here a - b c is therefore written a + (-b) c, with a sign that is flipped in the bits: the same
// value, and no difference for that pattern to see.
#if defined(PENSTOCK_KERNEL_COMPLEX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_COMPLEX_INL_H_
#undef PENSTOCK_KERNEL_COMPLEX_INL_H_
#else
#define PENSTOCK_KERNEL_COMPLEX_INL_H_
#endif

#include <bit>
#include <limits>

#include "penstock/kernel/element.h"
#include "penstock/simd/per_target-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

template <class T>
HWY_INLINE T flipped(T x) {
  using B = UInt<sizeof(T)>;
  return std::bit_cast<T>(std::bit_cast<B>(x) ^ B{1} << (8 * sizeof(T) - 1));
}

/// By the textbook's formula.
template <class T>
HWY_INLINE Pair<T> product(Pair<T> a, Pair<T> b) {
  return {a.re * b.re + flipped(a.im) * b.im, a.re * b.im + a.im * b.re};
}

/// Smith's algorithm: scaled by the larger half of the divisor, so that no square overflows. The halves change places
/// instead of the code taking one of two ways: a vector would take both, with a division in each.
template <class T>
HWY_INLINE Pair<T> quotient(Pair<T> a, Pair<T> b) {
  const T re = b.re < 0 ? -b.re : b.re;
  const T im = b.im < 0 ? -b.im : b.im;
  const bool upright = re >= im;
  const T large = upright ? b.re : b.im;
  const T small = upright ? b.im : b.re;
  const T ratio = small / large;
  const T scale = 1 / (large + small * ratio);
  const T first = upright ? a.re : a.im;
  const T second = upright ? a.im : a.re;
  const T turned = first * ratio;
  const Pair<T> scaled = {(first + second * ratio) * scale,
                          ((upright ? second : turned) + flipped(upright ? turned : second)) * scale};
  // By zero each half becomes what division by 0 makes of it.
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  return re == 0 && im == 0 ? Pair<T>{a.re * kInfinity, a.im * kInfinity} : scaled;
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
