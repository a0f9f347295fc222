// SPDX-License-Identifier: Apache-2.0
// Element types as kernels see them, and which dtypes an operation computes with. No code that depends on a target.
#pragma once

#include <complex>
#include <cstdint>
#include <type_traits>

#include "penstock/op/ops.h"
#include "penstock/type/dtype.h"

// Heads a loop none of whose iterations reads what another writes: `out` equals an operand exactly or overlaps none.
#if defined(__clang__)
#define PENSTOCK_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define PENSTOCK_INDEPENDENT _Pragma("GCC ivdep")
#endif

// Heads a loop over registers, whose number is a constant of at most 8.
#if defined(__clang__)
#define PENSTOCK_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PENSTOCK_UNROLL _Pragma("GCC unroll 8")
#endif

namespace penstock::kernel {

/// A complex number as its two halves: arithmetic on it is written out and vectorises, std::complex calls a library.
template <class T>
struct Pair {
  T re;
  T im;
};

template <class T>
struct ElementTraits {
  using Type = T;      // what a kernel loads and stores
  using RealPart = T;  // its type's real part
};
template <class T>
struct ElementTraits<std::complex<T>> {
  using Type = Pair<T>;
  using RealPart = T;
};
template <class T>
using ElementOf = typename ElementTraits<T>::Type;

template <class T>
inline constexpr bool kIsPair = false;
template <class T>
inline constexpr bool kIsPair<Pair<T>> = true;

template <class T>
inline constexpr bool kIsInteger = std::is_integral_v<T> && !std::is_same_v<T, bool>;

template <std::size_t kBytes>
struct UIntOfSize;
template <>
struct UIntOfSize<1> {
  using Type = std::uint8_t;
};
template <>
struct UIntOfSize<2> {
  using Type = std::uint16_t;
};
template <>
struct UIntOfSize<4> {
  using Type = std::uint32_t;
};
template <>
struct UIntOfSize<8> {
  using Type = std::uint64_t;
};
template <std::size_t kBytes>
using UInt = typename UIntOfSize<kBytes>::Type;

/// Whether an elementwise operation of this domain computes with elements of dtype t. float16 is converted before and
/// after (op/infer.h promotes it, the tile computes in float32).
constexpr bool computes_with(Domain domain, DType t) { return t != DType::k_float16 && holds(domain, t); }

}  // namespace penstock::kernel
