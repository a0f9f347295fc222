// SPDX-License-Identifier: Apache-2.0
// Elementwise loops over the functors, and the rows of op/elementwise.def made into entries of the table.
#if defined(PENSTOCK_KERNEL_ELEMENTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_ELEMENTWISE_INL_H_
#undef PENSTOCK_KERNEL_ELEMENTWISE_INL_H_
#else
#define PENSTOCK_KERNEL_ELEMENTWISE_INL_H_
#endif

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "hwy/highway.h"
#include "penstock/kernel/element.h"
#include "penstock/kernel/elsewhere.h"
#include "penstock/kernel/functors-inl.h"
#include "penstock/kernel/table.h"
#include "penstock/simd/per_target-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

// Rows whose functors are all listed elsewhere stay incomplete.
#define PENSTOCK_OP(name, functor, arity, domain, result) struct functor;
#include "penstock/op/elementwise.def"
#undef PENSTOCK_OP

template <Result kResult, class T>
struct ResultOf {
  using Type = std::conditional_t<kResult == Result::kBool, bool, T>;
};
template <class T>
struct ResultOf<Result::kRealPart, Pair<T>> {
  using Type = T;
};
template <class T>
struct ResultOf<Result::kFloat64, T> {
  using Type = double;
};

/// The loop's element type: T, or its unsigned partner where the sign does not matter; `where` only moves bits.
template <class F, class T>
struct Carrier {
  using Type = T;
};
template <class F, class T>
requires std::derived_from<F, Modular> && kIsInteger<T>
struct Carrier<F, T> {
  using Type = std::make_unsigned_t<T>;
};

template <class T>
requires(sizeof(T) <= 8) struct Carrier<Where, T> {
  using Type = UInt<sizeof(T)>;
};

/// The first operand's type: T, apart from the condition of `where`.
template <class F, class T>
using FirstOf = std::conditional_t<std::is_same_v<F, Where>, bool, T>;

template <class F, int kArity, class T, class R>
concept Fits = (kArity == 1 &&
                requires(F f, T x) {
                  { f(x) } -> std::same_as<R>;
                }) ||
               (kArity == 2 &&
                requires(F f, T x) {
                  { f(x, x) } -> std::same_as<R>;
                }) ||
               (kArity == 3 && requires(F f, FirstOf<F, T> first, T x) {
                 { f(first, x, x) } -> std::same_as<R>;
               });

/// How results are written; streaming ones as by Stream of the table.
enum class Stores { kOrdinary, kStreaming };
constexpr std::uintptr_t kLine = 64;  // bytes of a cache line, a multiple of every vector

/// A bool is loaded as its byte: comparing a byte vectorises, loading a bool does not always.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
template <class T>
HWY_INLINE T value_of(Stored<T> stored) {
  if constexpr (std::is_same_v<T, bool>) {
    return stored != 0;
  } else {
    return stored;
  }
}

/// r[i] = f(i) for i in [0, n).
template <class R, class F>
HWY_INLINE void store_each(R* r, std::int64_t n, const F& f) {
  PENSTOCK_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) r[i] = f(i);
}

/// The same with non-temporal stores. The compiler vectorises loops but writes ordinary stores: values go through a
/// block of few cache lines.
template <class R, class F>
HWY_INLINE void stream_each(R* r, std::int64_t n, const F& f) {
  const hwy::HWY_NAMESPACE::ScalableTag<std::uint8_t> d;
  constexpr std::int64_t kBytes = 256;
  constexpr std::int64_t kBlock = kBytes / static_cast<std::int64_t>(sizeof(R));
  const auto lanes = static_cast<std::int64_t>(hwy::HWY_NAMESPACE::Lanes(d));
  const auto past = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(r) & (kLine - 1));
  std::int64_t i =
      past == 0 ? 0 : std::min(n, (static_cast<std::int64_t>(kLine) - past) / static_cast<std::int64_t>(sizeof(R)));
  store_each(r, i, f);
  for (; i + kBlock <= n; i += kBlock) {
    alignas(kLine) R block[kBlock];
    store_each(block, kBlock, [&](std::int64_t k) HWY_ATTR { return f(i + k); });
    const auto* from = reinterpret_cast<const std::uint8_t*>(block);
    auto* to = reinterpret_cast<std::uint8_t*>(r + i);
    for (std::int64_t at = 0; at < kBytes; at += lanes) {
      hwy::HWY_NAMESPACE::Stream(hwy::HWY_NAMESPACE::Load(d, from + at), d, to + at);
    }
  }
  store_each(r + i, n - i, [&](std::int64_t k) HWY_ATTR { return f(i + k); });
}

template <Stores kStores, class R, class F>
HWY_INLINE void write_each(R* r, std::int64_t n, const F& f) {
  if constexpr (kStores == Stores::kStreaming) {
    stream_each(r, n, f);
  } else {
    store_each(r, n, f);
  }
}

template <Stores kStores, class F, class T, class R>
HWY_FLATTEN void loop1(const void* const* in, void* out, std::int64_t n) {
  const auto* a = static_cast<const Stored<T>*>(in[0]);
  write_each<kStores>(static_cast<R*>(out), n, [&](std::int64_t i) HWY_ATTR -> R { return F{}(value_of<T>(a[i])); });
}

template <Stores kStores, class F, class T, class R>
HWY_FLATTEN void loop2(const void* const* in, void* out, std::int64_t n) {
  const auto* a = static_cast<const Stored<T>*>(in[0]);
  const auto* b = static_cast<const Stored<T>*>(in[1]);
  write_each<kStores>(static_cast<R*>(out), n,
                      [&](std::int64_t i) HWY_ATTR -> R { return F{}(value_of<T>(a[i]), value_of<T>(b[i])); });
}

template <Stores kStores, class F, class T, class R>
HWY_FLATTEN void loop3(const void* const* in, void* out, std::int64_t n) {
  const auto* a = static_cast<const Stored<FirstOf<F, T>>*>(in[0]);
  const auto* b = static_cast<const Stored<T>*>(in[1]);
  const auto* c = static_cast<const Stored<T>*>(in[2]);
  write_each<kStores>(static_cast<R*>(out), n, [&](std::int64_t i) HWY_ATTR -> R {
    return F{}(value_of<FirstOf<F, T>>(a[i]), value_of<T>(b[i]), value_of<T>(c[i]));
  });
}

/// loop2 for a functor with a short form: whole blocks in short where that is exact for every element.
template <class F, class T>
HWY_FLATTEN void short_loop2(const void* const* in, void* out, std::int64_t n) {
  constexpr std::int64_t kBlock = 64;
  T block[kBlock];
  T* r = static_cast<T*>(out);
  for (std::int64_t start = 0; start < n; start += kBlock) {
    const T* a = static_cast<const T*>(in[0]) + start;
    const T* b = static_cast<const T*>(in[1]) + start;
    const std::int64_t m = n - start < kBlock ? n - start : kBlock;
    UInt<sizeof(T)> inexact = 0;
    for (std::int64_t i = 0; i < m; ++i) {
      bool exact = false;
      block[i] = F{}.in_short(a[i], b[i], exact);
      inexact |= static_cast<UInt<sizeof(T)>>(!exact);
    }
    if (inexact == 0) {
      std::memcpy(r + start, block, static_cast<std::size_t>(m) * sizeof(T));
    } else {
      for (std::int64_t i = 0; i < m; ++i) r[start + i] = F{}(a[i], b[i]);
    }
  }
}

template <Stores kStores, class F, int kArity, class T, class R>
constexpr Elementwise loop_of() {
  if constexpr (kStores == Stores::kStreaming && HWY_TARGET == HWY_SCALAR) {
    return nullptr;
  } else if constexpr (kArity == 1) {
    return loop1<kStores, F, T, R>;
  } else if constexpr (requires(F f, T x, bool exact) { f.in_short(x, x, exact); }) {
    return kStores == Stores::kStreaming ? nullptr : short_loop2<F, T>;
  } else if constexpr (kArity == 2) {
    return loop2<kStores, F, T, R>;
  } else {
    return loop3<kStores, F, T, R>;
  }
}

/// A row's loop for C++ type T, or one that shows it needs none: `wanted` is whether this T is computed here at all.
template <class F, int kArity, Result kResult, class T, bool kWanted>
struct Row {
  static constexpr bool kFits = true;
  static void fill(Op, Table&) {}
};
template <class F, int kArity, Result kResult, class T>
struct Row<F, kArity, kResult, T, true> {
  using Element = typename Carrier<F, ElementOf<T>>::Type;
  using R = typename ResultOf<kResult, Element>::Type;
  static constexpr bool kFits = Fits<F, kArity, Element, R>;
  static void fill(Op op, Table& table) {
    if constexpr (kFits) {
      constexpr std::size_t kDType = index_of(kDTypeOf<T>);
      table.elementwise[index_of(op)][kDType] = loop_of<Stores::kOrdinary, F, kArity, Element, R>();
      table.streaming[index_of(op)][kDType] = loop_of<Stores::kStreaming, F, kArity, Element, R>();
    }
  }
};

constexpr bool is_wanted(Op op, DType t) { return computes_with(row(op).domain, t) && !is_elsewhere(op, t); }

/// The entries of every operation for the dtype of T.
template <class T>
void fill_elementwise(Table& table) {
#define PENSTOCK_OP(name, functor, arity, domain, result)                                                            \
  {                                                                                                                  \
    using Each = Row<functor, arity, Result::result, T, is_wanted(Op::k_##name, kDTypeOf<T>)>;                       \
    static_assert(Each::kFits, "op/elementwise.def, row " #name ": functor " #functor                                \
                               " (kernel/functors-inl.h) does not take " #arity " operand(s) of a dtype of " #domain \
                               " and give " #result);                                                                \
    Each::fill(Op::k_##name, table);                                                                                 \
  }
#include "penstock/op/elementwise.def"
#undef PENSTOCK_OP
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
