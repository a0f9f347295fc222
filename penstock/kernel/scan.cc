// SPDX-License-Identifier: Apache-2.0
#include "penstock/kernel/scan.h"

#include <algorithm>
#include <complex>
#include <type_traits>

namespace penstock::kernel {
namespace {

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a + b);
  }
};

/// A product that stays one: g++ 12 makes fused operations of complex products, -ffp-contract=off or not, and their
/// bits would depend on the target.
template <class T>
T apart(T x) {
  asm("" : "+m"(x));
  return x;
}

struct Multiply {
  template <class T>
  T operator()(T a, T b) const {
    // A signed product of narrow unsigned numbers could overflow int.
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
    else
      return static_cast<T>(a * b);
  }
  template <class T>
  std::complex<T> operator()(std::complex<T> a, std::complex<T> b) const {
    return {apart(a.real() * b.real()) - apart(a.imag() * b.imag()),
            apart(a.real() * b.imag()) + apart(a.imag() * b.real())};
  }
};

constexpr std::int64_t kSideBySide = 8;  // runs

template <class T, class F, std::int64_t kRuns>
void some_runs(const T* x, T* out, std::int64_t length, T* totals) {
  T sums[kRuns];
  for (std::int64_t r = 0; r < kRuns; ++r) sums[r] = out[r * kScanRun] = x[r * kScanRun];
  for (std::int64_t i = 1; i < length; ++i) {
    for (std::int64_t r = 0; r < kRuns; ++r) {
      sums[r] = F()(sums[r], x[r * kScanRun + i]);
      out[r * kScanRun + i] = sums[r];
    }
  }
  std::copy_n(sums, kRuns, totals);
}

template <class T, class F>
void runs(const void* x_, void* out_, std::int64_t n, void* totals_) {
  const T* x = static_cast<const T*>(x_);
  T* out = static_cast<T*>(out_);
  T* totals = static_cast<T*>(totals_);
  for (; n >= kSideBySide * kScanRun; n -= kSideBySide * kScanRun) {
    some_runs<T, F, kSideBySide>(x, out, kScanRun, totals);
    x += kSideBySide * kScanRun;
    out += kSideBySide * kScanRun;
    totals += kSideBySide;
  }
  for (; n > 0; n -= kScanRun) {
    some_runs<T, F, 1>(x, out, std::min(n, kScanRun), totals++);
    x += kScanRun;
    out += kScanRun;
  }
}

template <class T, class F>
void shift(const void* carry_, const void* x_, void* out_, std::int64_t n) {
  const T carry = *static_cast<const T*>(carry_);
  const T* x = static_cast<const T*>(x_);
  T* out = static_cast<T*>(out_);
  for (std::int64_t i = 0; i < n; ++i) out[i] = F()(carry, x[i]);
}

template <class T, class F>
void follow(const void* x_, void* out_, std::int64_t n, void* state_) {
  const T* x = static_cast<const T*>(x_);
  T* out = static_cast<T*>(out_);
  T state = *static_cast<T*>(state_);
  for (std::int64_t i = 0; i < n; ++i) out[i] = state = F()(state, x[i]);
  *static_cast<T*>(state_) = state;
}

template <class T, class F>
void combine(const void* a_, const void* b_, void* out_, std::int64_t n) {
  const T* a = static_cast<const T*>(a_);
  const T* b = static_cast<const T*>(b_);
  T* out = static_cast<T*>(out_);
  for (std::int64_t i = 0; i < n; ++i) out[i] = F()(a[i], b[i]);
}

/// Integers of one width add up alike, and unsigned ones wrap by definition.
template <class T>
auto wrapping() {
  if constexpr (std::is_integral_v<T>)
    return std::make_unsigned_t<T>();
  else
    return T();
}

template <class F>
const Scan* scan_with(DType dtype) {
  return visit(dtype, []<class T>() -> const Scan* {
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, Half>) {
      return nullptr;
    } else {
      using U = decltype(wrapping<T>());
      static constexpr Scan scan{&runs<U, F>, &shift<U, F>, &follow<U, F>, &combine<U, F>};
      return &scan;
    }
  });
}

}  // namespace

const Scan* scan_of(Cumulative what, DType dtype) {
  return what == Cumulative::kSum ? scan_with<Add>(dtype) : scan_with<Multiply>(dtype);
}

}  // namespace penstock::kernel
