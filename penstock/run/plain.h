// SPDX-License-Identifier: Apache-2.0
// For tests: arrays as plain vectors and every graph operation on them, one element at a time. A program over tiles
// must give the same bits. Numbers come from the scalar kernels, called for one element; everything else (views, the
// order of a reduction) is written here from the words of the headers. Tests only.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <functional>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "penstock/graph/node.h"
#include "penstock/kernel/sweep.h"
#include "penstock/op/infer.h"

namespace penstock::run {

/// Elements in C order.
struct Plain {
  DType dtype = DType::k_float64;
  Dims shape;
  std::vector<std::byte> bytes;

  Plain() = default;
  Plain(DType dtype_, Dims shape_)
      : dtype(dtype_), shape(std::move(shape_)), bytes(static_cast<std::size_t>(count(shape) * size_of(dtype))) {}
  std::int64_t size() const { return count(shape); }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(bytes.data());
  }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(bytes.data());
  }
  const std::byte* at(std::int64_t i) const { return bytes.data() + i * size_of(dtype); }
  std::byte* at(std::int64_t i) { return bytes.data() + i * size_of(dtype); }
};

/// "" when both hold the same; else the first difference.
inline std::string difference(const Plain& a, const Plain& b) {
  if (a.dtype != b.dtype) return cat(name_of(a.dtype), " against ", name_of(b.dtype));
  if (a.shape != b.shape) return cat(shape_text(a.shape), " against ", shape_text(b.shape));
  return kernel::difference(a.dtype, a.bytes.data(), b.bytes.data(), a.size());
}

inline Plain random_plain(DType dtype, const Dims& shape, std::uint64_t seed) {
  Plain p(dtype, shape);
  kernel::fill_values(dtype, p.bytes.data(), p.size(), seed);
  return p;
}

template <class T>
Plain plain_of(const Dims& shape, const std::vector<T>& values) {
  Plain p(kDTypeOf<T>, shape);
  for (std::size_t i = 0; i < values.size(); ++i) p.as<T>()[i] = values[i];
  return p;
}

namespace plain {

/// Found before any test forces a target: to look it up releases the forced one.
inline const kernel::Table& kScalarTable = kernel::table_of(simd::Target::kScalar);

inline Dims indices_of(std::int64_t number, const Dims& shape) {
  Dims indices(shape.size());
  for (std::size_t d = shape.size(); d-- > 0; number /= shape[d]) indices[d] = number % shape[d];
  return indices;
}

inline std::int64_t number_of(const Dims& indices, const Dims& shape) {
  std::int64_t number = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) number = number * shape[d] + indices[d];
  return number;
}

/// Element i of the result is the element of `in` at the indices from(indices of i).
inline Plain gather(const Plain& in, const Dims& shape, const std::function<Dims(const Dims&)>& from) {
  Plain out(in.dtype, shape);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const std::int64_t at = number_of(from(indices_of(i, shape)), in.shape);
    std::memcpy(out.at(i), in.at(at), static_cast<std::size_t>(size_of(in.dtype)));
  }
  return out;
}

inline Plain cast(const Plain& in, DType dtype) {
  if (in.dtype == dtype) return in;
  Plain out(dtype, in.shape);
  const kernel::Cast one = kScalarTable.cast[index_of(in.dtype)][index_of(dtype)];
  for (std::int64_t i = 0; i < out.size(); ++i) one(in.at(i), out.at(i), 1);
  return out;
}

inline Plain broadcast_to(const Plain& in, const Dims& shape) {
  const std::size_t lead = shape.size() - in.shape.size();
  return gather(in, shape, [&](const Dims& to) {
    Dims from(in.shape.size());
    for (std::size_t d = 0; d < from.size(); ++d) from[d] = in.shape[d] == 1 ? 0 : to[lead + d];
    return from;
  });
}

inline Plain elementwise(Op op, const std::vector<Plain>& operands) {
  std::vector<DType> dtypes;
  Dims shape;
  for (const Plain& each : operands) {
    dtypes.push_back(each.dtype);
    shape = broadcast(shape, each.shape);
  }
  const ElementwiseTypes types = infer_elementwise(op, dtypes);
  std::vector<Plain> in;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    const DType wanted = op == Op::k_where && k == 0 ? DType::k_bool : types.compute;
    in.push_back(broadcast_to(cast(operands[k], wanted), shape));
  }
  Plain out(types.result, shape);
  const kernel::Elementwise one = kScalarTable.elementwise[index_of(op)][index_of(types.compute)];
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const void* inputs[kMaxArity] = {};
    for (std::size_t k = 0; k < in.size(); ++k) inputs[k] = in[k].at(i);
    one(inputs, out.at(i), 1);
  }
  return out;
}

inline Plain permute(const Plain& in, const std::vector<int>& axes) {
  Dims shape;
  for (const int axis : axes) shape.push_back(in.shape[static_cast<std::size_t>(axis)]);
  return gather(in, shape, [&](const Dims& to) {
    Dims from(to.size());
    for (std::size_t d = 0; d < to.size(); ++d) from[static_cast<std::size_t>(axes[d])] = to[d];
    return from;
  });
}

inline Plain flip(const Plain& in, const std::vector<int>& axes) {
  return gather(in, in.shape, [&](const Dims& to) {
    Dims from = to;
    for (const int axis : axes) {
      const auto d = static_cast<std::size_t>(axis);
      from[d] = in.shape[d] - 1 - to[d];
    }
    return from;
  });
}

inline Plain reshape(const Plain& in, const Dims& shape) {
  Plain out = in;
  out.shape = shape;
  return out;
}

/// Which elements of `shape` a basic index names: their numbers, in C order of the index's own shape (also returned).
inline std::pair<Dims, std::vector<std::int64_t>> named(const std::vector<Index>& indices, const Dims& shape) {
  Dims found;
  std::vector<std::int64_t> numbers{0};
  const auto extend = [&](std::int64_t extent, const std::vector<std::int64_t>& picks) {
    std::vector<std::int64_t> longer;
    for (const std::int64_t number : numbers) {
      for (const std::int64_t pick : picks) longer.push_back(number * extent + pick);
    }
    numbers = std::move(longer);
  };
  std::size_t d = 0;
  for (const Index& index : indices) {
    if (index.type == Index::Type::kNewAxis) {
      found.push_back(1);
      continue;
    }
    const std::int64_t extent = shape[d++];
    if (index.type == Index::Type::kInteger) {
      extend(extent, {index.start < 0 ? index.start + extent : index.start});
      continue;
    }
    const Span span = resolve_slice(index, extent);
    std::vector<std::int64_t> picks;
    for (std::int64_t i = 0; i < span.count; ++i) picks.push_back(span.start + i * span.step);
    found.push_back(span.count);
    extend(extent, picks);
  }
  for (; d < shape.size(); ++d) {
    std::vector<std::int64_t> picks;
    for (std::int64_t i = 0; i < shape[d]; ++i) picks.push_back(i);
    found.push_back(shape[d]);
    extend(shape[d], picks);
  }
  return {found, numbers};
}

inline Plain index(const Plain& in, const std::vector<Index>& indices) {
  const auto [shape, numbers] = named(indices, in.shape);
  Plain out(in.dtype, shape);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::memcpy(out.at(static_cast<std::int64_t>(i)), in.at(numbers[i]), static_cast<std::size_t>(size_of(in.dtype)));
  }
  return out;
}

inline void assign(Plain& out, const std::vector<Index>& indices, const Plain& value) {
  const auto [shape, numbers] = named(indices, out.shape);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::memcpy(out.at(numbers[i]), value.at(static_cast<std::int64_t>(i)),
                static_cast<std::size_t>(size_of(out.dtype)));
  }
}

/// start + i * delta: integers wrap, floats in float64, rounded once.
inline Plain iota(const graph::Scalar& start, const graph::Scalar& delta, const Dims& shape) {
  Plain out(start.dtype, shape);
  visit(start.dtype, [&]<class T>() {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      T a{};
      T b{};
      std::memcpy(&a, start.bytes, sizeof a);
      std::memcpy(&b, delta.bytes, sizeof b);
      for (std::int64_t i = 0; i < out.size(); ++i) {
        if constexpr (std::is_floating_point_v<T>) {
          out.as<T>()[i] = static_cast<T>(static_cast<double>(a) + static_cast<double>(i) * static_cast<double>(b));
        } else {
          out.as<T>()[i] = static_cast<T>(static_cast<std::uint64_t>(a) +
                                          static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(b));
        }
      }
    }
  });
  return out;
}

inline Plain histogram(const Plain& in, const std::vector<double>& edges) {
  const auto bins = static_cast<std::int64_t>(edges.size()) - 1;
  Plain out(DType::k_int64, {bins});
  const Plain x = cast(in, DType::k_float64);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const double value = x.as<double>()[i];
    for (std::int64_t b = 0; b < bins; ++b) {
      const auto e = static_cast<std::size_t>(b);
      const bool below = value < edges[e + 1] || (b == bins - 1 && value == edges[e + 1]);
      if (value >= edges[e] && below) ++out.as<std::int64_t>()[b];
    }
  }
  return out;
}

// -- Reductions
// --------------------------------------------------------------------------------------------------------

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

}  // namespace plain
}  // namespace penstock::run
