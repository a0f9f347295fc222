// SPDX-License-Identifier: Apache-2.0
// Elementwise kernels of the functions of simd/maths.def for float32 and float64.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/elementwise_maths.cc"
#include "hwy/foreach_target.h"

#include <cstring>

#include "penstock/kernel/table.h"
#include "penstock/simd/maths-inl.h"
#include "penstock/simd/target.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
namespace maths = simd::HWY_NAMESPACE;

/// The vectors that F takes side by side.
template <class F, bool kFma, class V>
constexpr int at_once() {
  if constexpr (requires { F::template kAtOnce<kFma, V>; }) return F::template kAtOnce<kFma, V>;
  return 1;
}

/// out = f(in...) in whole vectors; the rest goes through a vector padded with ones, which every function takes.
template <class F, int kArity, class T, bool kFma>
void maths_loop(const void* const* in, void* out, std::int64_t n) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T* a = static_cast<const T*>(in[0]);
  const T* b = static_cast<const T*>(in[kArity - 1]);
  T* r = static_cast<T*>(out);
  const auto step = [&](const T* x, const T* y, T* to) HWY_ATTR {
    if constexpr (kArity == 1) {
      hn::StoreU(F::template call<kFma>(hn::LoadU(d, x)), d, to);
    } else {
      hn::StoreU(F::template call<kFma>(hn::LoadU(d, x), hn::LoadU(d, y)), d, to);
    }
  };
  std::int64_t i = 0;
  if constexpr (at_once<F, kFma, V>() > 1) {
    constexpr int kVectors = at_once<F, kFma, V>();
    for (; i + kVectors * lanes <= n; i += kVectors * lanes) {
      V v[kVectors];
      for (int k = 0; k < kVectors; ++k) v[k] = hn::LoadU(d, a + i + k * lanes);
      F::template call_each<kFma, kVectors>(v);
      for (int k = 0; k < kVectors; ++k) hn::StoreU(v[k], d, r + i + k * lanes);
    }
  }
  for (; i + lanes <= n; i += lanes) step(a + i, b + i, r + i);
  if (i >= n) return;
  constexpr std::size_t kMost = HWY_MAX_BYTES / sizeof(T) + (HWY_TARGET == HWY_SCALAR);
  T x[kMost];
  T y[kMost];
  T to[kMost];
  const auto left = static_cast<std::size_t>(n - i) * sizeof(T);
  hn::StoreU(hn::Set(d, T{1}), d, x);
  hn::StoreU(hn::Set(d, T{1}), d, y);
  std::memcpy(x, a + i, left);
  std::memcpy(y, b + i, left);
  step(x, y, to);
  std::memcpy(r + i, to, left);
}

template <bool kFma>
void fill(Table& table) {
#define PENSTOCK_MATHS(name, arity, ...)                                  \
  table.elementwise[index_of(Op::k_##name)][index_of(DType::k_float32)] = \
      maths_loop<maths::Maths_##name, arity, float, kFma>;                \
  table.elementwise[index_of(Op::k_##name)][index_of(DType::k_float64)] = \
      maths_loop<maths::Maths_##name, arity, double, kFma>;
#include "penstock/simd/maths.def"
#undef PENSTOCK_MATHS
}

}  // namespace

void fill_elementwise_maths(Table& table);
void fill_elementwise_maths(Table& table) {
  if (HWY_TARGET == HWY_SCALAR && !simd::has_fma()) {
    fill<HWY_TARGET != HWY_SCALAR>(table);
  } else {
    fill<true>(table);
  }
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
