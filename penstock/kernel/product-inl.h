// SPDX-License-Identifier: Apache-2.0
// What matrix and dot products do with a register: multiply, add, load, store, for every kind of element.
//
// Floats multiply and add with one rounding where the target can, which is what the products promise: the same bits on
// every target with FMA. The scalar target calls the instruction by kFused, where the CPU has it.
#if defined(PENSTOCK_KERNEL_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_PRODUCT_INL_H_
#undef PENSTOCK_KERNEL_PRODUCT_INL_H_
#else
#define PENSTOCK_KERNEL_PRODUCT_INL_H_
#endif

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "hwy/highway.h"
#include "penstock/kernel/element.h"
#include "penstock/kernel/lanes-inl.h"

#undef PENSTOCK_FUSED
#if HWY_TARGET == HWY_SCALAR && HWY_ARCH_X86
// Inlined std::fma, in functions that only a CPU with FMA is given.
#define PENSTOCK_FUSED __attribute__((target("avx2,fma")))
#else
#define PENSTOCK_FUSED
#endif

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

/// A register of T: a vector, or on the scalar target one element.
template <class T>
struct Register {
#if HWY_TARGET == HWY_SCALAR
  using V = T;
  static constexpr std::int64_t kLanes = 1;
#else
  using V = Vector<T>;
  static constexpr std::int64_t kLanes = kLanesOf<T>;
#endif
  static HWY_INLINE V load(const T* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  static HWY_INLINE void store(const V& v, T* to) { std::memcpy(to, &v, sizeof v); }
  /// x in every lane; a difference from zero is x, whatever its sign.
  static HWY_INLINE V all(T x) { return static_cast<V>(x - V{}); }
  static HWY_INLINE void keep([[maybe_unused]] V& v) {
#if HWY_TARGET != HWY_SCALAR
    keep_in_register(v);
#endif
  }
};

/// Integers, which wrap: unsigned ones have the bits of signed ones.
template <class T>
struct Wrapping {
  using Element = T;
  using Lane = T;
  using V = typename Register<T>::V;
  static HWY_INLINE V multiply_add(V a, V b, V c) { return static_cast<V>(a * b + c); }
  static HWY_INLINE V add_all(V a, V b) { return static_cast<V>(a + b); }
  static HWY_INLINE T add(T a, T b) { return static_cast<T>(a + b); }
};

/// Bytes in 16 bits each, for which there is an instruction that multiplies.
struct WrappingBytes : Wrapping<std::uint16_t> {
  using Element = std::uint8_t;
  static HWY_INLINE Element add(Element a, Element b) { return static_cast<Element>(a + b); }
};

/// bool, as bytes of 0 and 1: whether any pair is true.
struct Logical {
  using Element = std::uint8_t;
  using Lane = std::uint8_t;
  using V = typename Register<Lane>::V;
  static HWY_INLINE V multiply_add(V a, V b, V c) { return static_cast<V>((a & b) | c); }
  static HWY_INLINE V add_all(V a, V b) { return static_cast<V>(a | b); }
  static HWY_INLINE Lane add(Lane a, Lane b) { return a | b; }
};

template <class T, bool kFused>
struct Fused {
  using Element = T;
  using Lane = T;
  using V = typename Register<T>::V;
#if HWY_TARGET == HWY_SCALAR
  static HWY_INLINE V multiply_add(V a, V b, V c) {
    if constexpr (kFused) return std::fma(a, b, c);
    return a * b + c;
  }
  static HWY_INLINE V subtract_product(V a, V b, V c) { return multiply_add(-a, b, c); }
#else
  using H = hwy::HWY_NAMESPACE::Vec<hwy::HWY_NAMESPACE::ScalableTag<T>>;
  using Raw = decltype(H{}.raw);
  static HWY_INLINE H in(V v) { return H{reinterpret_cast<Raw>(v)}; }
  static HWY_INLINE V multiply_add(V a, V b, V c) {
    return reinterpret_cast<V>(hwy::HWY_NAMESPACE::MulAdd(in(a), in(b), in(c)).raw);
  }
  /// c - a b
  static HWY_INLINE V subtract_product(V a, V b, V c) {
    return reinterpret_cast<V>(hwy::HWY_NAMESPACE::NegMulAdd(in(a), in(b), in(c)).raw);
  }
#endif
  static HWY_INLINE V add_all(V a, V b) { return a + b; }
  static HWY_INLINE T add(T a, T b) { return a + b; }
};

/// The arithmetic for elements of C++ type T; of complex ones, of their halves.
template <class T, bool kFused>
struct ArithmeticFor {
  using Type = Wrapping<UInt<sizeof(T)>>;
};
template <bool kFused>
struct ArithmeticFor<bool, kFused> {
  using Type = Logical;
};
template <bool kFused>
struct ArithmeticFor<float, kFused> {
  using Type = Fused<float, kFused>;
};
template <bool kFused>
struct ArithmeticFor<double, kFused> {
  using Type = Fused<double, kFused>;
};
template <class T, bool kFused>
struct ArithmeticFor<std::complex<T>, kFused> {
  using Type = Fused<T, kFused>;
};

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
