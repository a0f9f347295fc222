// SPDX-License-Identifier: Apache-2.0
// For tests: arrays as plain vectors and every graph operation on them, one element at a time. A program over tiles
// must give the same bits. Numbers come from the scalar kernels, called for one element; everything else (views, the
// order of a reduction) is written here from the words of the headers. Tests only.
#pragma once

#include <cstring>
#include <functional>
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

}  // namespace plain
}  // namespace penstock::run
