// SPDX-License-Identifier: Apache-2.0
// For tests: reductions of plain arrays in the order of docs/decisions/0005-reduction-tree.md. Tests only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "penstock/run/plain.h"

namespace penstock::run::plain {

/// A node of the tree: the value(s) and how many elements are behind it.
template <class T>
struct SumNode {
  using Element = T;
  T value = std::is_floating_point_v<T> ? -T{0} : T{0};
  std::int64_t n = 0;
  void fold(T x, std::int64_t) {
    if constexpr (std::is_integral_v<T>)
      value = static_cast<T>(static_cast<std::uint64_t>(value) + static_cast<std::uint64_t>(x));
    else
      value = value + x;
    ++n;
  }
  void merge(const SumNode& b) {
    fold(b.value, 0);
    n += b.n - 1;
  }
  T result() const { return value; }
};

template <class T>
struct ProdNode {
  using Element = T;
  T value = T(1);
  std::int64_t n = 0;
  /// 1 + 0i leaves the other factor as it is; by the formula infinity times it would be NaN.
  static bool is_neutral(T x) { return x == T(1) && !std::signbit(std::imag(x)); }
  void fold(T x, std::int64_t) {
    ++n;
    if constexpr (std::is_integral_v<T>)
      value = static_cast<T>(static_cast<std::uint64_t>(value) * static_cast<std::uint64_t>(x));
    else if constexpr (std::is_floating_point_v<T>)
      value = value * x;
    else if (is_neutral(value))
      value = x;
    else if (!is_neutral(x))
      value = T(value.real() * x.real() - value.imag() * x.imag(), value.real() * x.imag() + value.imag() * x.real());
  }
  void merge(const ProdNode& b) {
    fold(b.value, 0);
    n += b.n - 1;
  }
  T result() const { return value; }
};

/// Mean and sum of squared deviations: Welford's update, merged by Chan, Golub and LeVeque's formula.
template <class T>
struct MomentsNode {
  using Element = T;
  T mean = 0;
  T m2 = 0;
  std::int64_t n = 0;
  void fold(T x, std::int64_t) {
    ++n;
    const T delta = x - mean;
    mean = mean + delta * static_cast<T>(1.0 / static_cast<double>(n));
    m2 = m2 + delta * (x - mean);
  }
  void merge(const MomentsNode& b) {
    const auto na = static_cast<double>(n);
    const auto nb = static_cast<double>(b.n);
    const T delta = b.mean - mean;
    mean = mean + delta * static_cast<T>(nb / (na + nb));
    m2 = m2 + (b.m2 + delta * delta * static_cast<T>(na * (nb / (na + nb))));
    n += b.n;
  }
  T result() const { return m2; }
};

/// min, max, argmin and argmax: any order gives the same, so a plain loop says it all.
template <class T, bool kMin, bool kIndex>
struct EndNode {
  using Element = T;
  T value{};
  std::int64_t where = 0;
  std::int64_t n = 0;
  static bool is_nan(T x) { return x != x; }
  static bool beats(T x, T v) {
    if (is_nan(v)) return false;
    if (is_nan(x)) return true;
    if constexpr (std::is_floating_point_v<T> && !kIndex) {
      if (x == v && x == 0) return std::signbit(x) != std::signbit(v) && std::signbit(x) == kMin;
    }
    return kMin ? x < v : x > v;
  }
  void fold(T x, std::int64_t i) {
    if (n++ == 0 || beats(x, value)) {
      value = x;
      where = i;
    }
  }
  void merge(const EndNode& b) {
    const bool takes = beats(b.value, value) || (kIndex && !beats(value, b.value) && b.where < where);
    if (takes) {
      value = b.value;
      where = b.where;
    }
    n += b.n;
  }
  auto result() const {
    if constexpr (kIndex)
      return where;
    else
      return value;
  }
};

/// Neighbours merge, level by level; an odd node at the end of a level moves up as it is.
template <class Node>
Node tree(std::vector<Node> nodes) {
  while (nodes.size() > 1) {
    std::vector<Node> next;
    for (std::size_t i = 0; i < nodes.size(); i += 2) {
      next.push_back(nodes[i]);
      if (i + 1 < nodes.size()) next.back().merge(nodes[i + 1]);
    }
    nodes = std::move(next);
  }
  return nodes.at(0);
}

/// One leaf: element r goes to lane r % lanes; the lanes are merged by halves.
template <class Node>
Node leaf_of(const typename Node::Element* x, std::int64_t n, std::int64_t first, std::int64_t lanes) {
  std::vector<Node> lane(static_cast<std::size_t>(lanes));
  for (std::int64_t r = 0; r < n; ++r) lane[static_cast<std::size_t>(r % lanes)].fold(x[r], first + r);
  for (std::int64_t half = lanes / 2; half > 0; half /= 2) {
    for (std::int64_t l = 0; l < half; ++l) {
      const Node& other = lane[static_cast<std::size_t>(l + half)];
      if (other.n > 0) lane[static_cast<std::size_t>(l)].merge(other);
    }
  }
  return lane[0];
}

template <class Node>
Node core_of(const std::vector<typename Node::Element>& x, std::int64_t lanes, std::int64_t leaf) {
  std::vector<Node> leaves;
  const auto n = static_cast<std::int64_t>(x.size());
  for (std::int64_t first = 0; first < n; first += leaf) {
    leaves.push_back(leaf_of<Node>(x.data() + first, std::min(leaf, n - first), first, lanes));
  }
  return tree(std::move(leaves));
}

/// How the reduced axes of a shape are walked: the cores of one output, outermost axis first, and each core's elements.
struct Walk {
  std::vector<std::size_t> cores;  // reduced axes that number the cores of an output
  std::vector<std::size_t> run;    // reduced axes within a core, outermost first
  bool columns = false;
};

inline Walk walk_of(const Dims& shape, const std::vector<int>& axes) {
  std::vector<std::pair<std::size_t, bool>> order;  // axis, reduced; extents of 1 have no place in any order
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1) order.emplace_back(d, std::find(axes.begin(), axes.end(), static_cast<int>(d)) != axes.end());
  }
  const auto run_before = [&](std::size_t end, bool reduced) {
    std::size_t begin = end;
    while (begin > 0 && order[begin - 1].second == reduced) --begin;
    return begin;
  };
  const auto extent_of = [&](std::size_t begin, std::size_t end) {
    std::int64_t n = 1;
    for (std::size_t i = begin; i < end; ++i) n *= shape[order[i].first];
    return n;
  };
  const bool any_kept = std::any_of(order.begin(), order.end(), [](const auto& a) { return !a.second; });
  std::size_t end = order.size();
  if (any_kept && !order.empty() && order.back().second) {
    // A short innermost reduced run is walked outside the kept axes before it.
    const std::size_t tail = run_before(end, true);
    if (extent_of(tail, end) < 64) {
      const std::size_t kept = run_before(tail, false);
      std::vector<std::pair<std::size_t, bool>> turned(order.begin(),
                                                       order.begin() + static_cast<std::ptrdiff_t>(kept));
      turned.insert(turned.end(), order.begin() + static_cast<std::ptrdiff_t>(tail), order.end());
      turned.insert(turned.end(), order.begin() + static_cast<std::ptrdiff_t>(kept),
                    order.begin() + static_cast<std::ptrdiff_t>(tail));
      order = std::move(turned);
    }
  }
  Walk walk;
  if (any_kept) {
    const std::size_t begin = run_before(end, false);
    walk.columns = extent_of(begin, end) >= 64;
    end = begin;
  }
  const std::size_t begin = run_before(end, true);
  for (std::size_t i = begin; i < end; ++i) walk.run.push_back(order[i].first);
  for (std::size_t i = 0; i < begin; ++i) {
    if (order[i].second) walk.cores.push_back(order[i].first);
  }
  return walk;
}

/// The result for the output whose kept indices stand in `at` (reduced ones are overwritten).
template <class Node>
Node reduce_one(const typename Node::Element* x, const Dims& shape, const Walk& walk, Dims at, std::int64_t lanes) {
  const auto extents = [&](const std::vector<std::size_t>& axes) {
    Dims found;
    for (const std::size_t axis : axes) found.push_back(shape[axis]);
    return found;
  };
  const auto put = [&](const std::vector<std::size_t>& axes, const Dims& indices) {
    for (std::size_t i = 0; i < axes.size(); ++i) at[axes[i]] = indices[i];
  };
  const Dims outer = extents(walk.cores);
  const Dims inner = extents(walk.run);
  std::vector<Node> cores;
  for (std::int64_t c = 0; c < count(outer); ++c) {
    put(walk.cores, indices_of(c, outer));
    std::vector<typename Node::Element> elements;
    for (std::int64_t r = 0; r < count(inner); ++r) {
      put(walk.run, indices_of(r, inner));
      elements.push_back(x[number_of(at, shape)]);
    }
    cores.push_back(walk.columns ? core_of<Node>(elements, 1, 32) : core_of<Node>(elements, lanes, 16 * lanes));
  }
  return tree(std::move(cores));
}

/// All outputs; the i-th is put[i].
template <class Node, class Put>
void reduce_all(const typename Node::Element* x, const Dims& shape, const std::vector<int>& axes, std::int64_t lanes,
                const Put& put) {
  const Walk walk = walk_of(shape, axes);
  Dims kept = shape;
  for (const int axis : axes) kept[static_cast<std::size_t>(axis)] = 1;
  for (std::int64_t i = 0; i < count(kept); ++i)
    put(i, reduce_one<Node>(x, shape, walk, indices_of(i, kept), lanes).result());
}

template <class T>
void reduce_into(Reduction reduction, const Plain& in, const std::vector<int>& axes, Plain& out) {
  const std::int64_t lanes = kernel::lanes_of(in.dtype);
  const auto as_is = [&](std::int64_t i, auto value) { out.as<decltype(value)>()[i] = value; };
  const auto with = [&]<class Node>() { reduce_all<Node>(in.as<T>(), in.shape, axes, lanes, as_is); };
  if constexpr (std::is_same_v<T, Half>) {
    throw InternalError("float16 is converted before it is reduced");
  } else if constexpr (!std::is_arithmetic_v<T>) {
    using R = typename T::value_type;
    if (reduction == Reduction::k_prod) return with.template operator()<ProdNode<T>>();
    PENSTOCK_CHECK(reduction == Reduction::k_sum);
    for (std::int64_t part = 0; part < 2; ++part) {
      std::vector<R> parts;
      for (std::int64_t i = 0; i < in.size(); ++i)
        parts.push_back(reinterpret_cast<const R*>(in.bytes.data())[2 * i + part]);
      reduce_all<SumNode<R>>(parts.data(), in.shape, axes, kernel::lanes_of(kDTypeOf<R>),
                             [&](std::int64_t i, R value) { out.as<R>()[2 * i + part] = value; });
    }
  } else {
    if (reduction == Reduction::k_min) return with.template operator()<EndNode<T, true, false>>();
    if (reduction == Reduction::k_max) return with.template operator()<EndNode<T, false, false>>();
    if (reduction == Reduction::k_argmin) return with.template operator()<EndNode<T, true, true>>();
    if (reduction == Reduction::k_argmax) return with.template operator()<EndNode<T, false, true>>();
    if (reduction == Reduction::k_sum) return with.template operator()<SumNode<T>>();
    if (reduction == Reduction::k_prod) return with.template operator()<ProdNode<T>>();
    if constexpr (std::is_floating_point_v<T>) {
      if (reduction == Reduction::k_moments) return with.template operator()<MomentsNode<T>>();
    }
    throw InternalError("no such reduction");
  }
}

inline Plain reduce(Reduction reduction, const Plain& in, const std::vector<int>& axes, bool keepdims) {
  const Plain x = cast(in, accumulator_of(reduction, in.dtype));
  Plain out(reduced_dtype(reduction, in.dtype), reduced_shape(reduction, in.shape, axes, keepdims));
  if (x.size() == 0) {
    if (reduction == Reduction::k_prod && out.size() > 0) {
      out = broadcast_to(cast(plain_of<std::int64_t>({}, {1}), out.dtype), out.shape);
    }
    return out;
  }
  visit(x.dtype, [&]<class T>() {
    // bool as bytes of 0 and 1: std::vector<bool> holds bits.
    reduce_into<std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>>(reduction, x, axes, out);
  });
  return out;
}

}  // namespace penstock::run::plain
