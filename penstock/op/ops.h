// SPDX-License-Identifier: Apache-2.0
// The operations: numbers and rows derived from the tables.
#pragma once

#include <cstdint>
#include <string_view>

#include "penstock/type/dtype.h"

namespace penstock {

enum class Domain : std::uint8_t {
  kAny,
  kBoolean,
  kBits,
  kInteger,
  kNumeric,
  kReal,
  kOrdered,
  kFloating,
  kRealFloat,
  kComplex,
  kWord
};

/// Whether a domain has values of this kind.
constexpr bool holds(Domain domain, Kind kind) {
  switch (domain) {
    case Domain::kAny:
      return true;
    case Domain::kBoolean:
      return kind == Kind::kBool;
    case Domain::kBits:
      return kind <= Kind::kUInt;
    case Domain::kInteger:
      return kind == Kind::kInt || kind == Kind::kUInt;
    case Domain::kNumeric:
      return kind != Kind::kBool;
    case Domain::kReal:
      return kind != Kind::kBool && kind != Kind::kComplex;
    case Domain::kOrdered:
      return kind != Kind::kComplex;
    case Domain::kFloating:
      return kind == Kind::kFloat || kind == Kind::kComplex;
    case Domain::kRealFloat:
      return kind == Kind::kFloat;
    case Domain::kComplex:
      return kind == Kind::kComplex;
    case Domain::kWord:
      return kind == Kind::kUInt;
  }
  return false;
}

/// Whether a domain has values of this dtype.
constexpr bool holds(Domain domain, DType dtype) {
  return domain == Domain::kWord ? dtype == DType::k_uint64 : holds(domain, kind_of(dtype));
}

enum class Result : std::uint8_t { kSame, kBool, kRealPart, kFloat64 };

enum class Op : std::uint8_t {
#define PENSTOCK_OP(name, functor, arity, domain, result) k_##name,
#include "penstock/op/elementwise.def"
#undef PENSTOCK_OP
};

struct OpRow {
  const char* name;
  int arity;
  Domain domain;
  Result result;
};

inline constexpr OpRow kOps[] = {
#define PENSTOCK_OP(name, functor, arity, domain, result) {#name, arity, Domain::domain, Result::result},
#include "penstock/op/elementwise.def"
#undef PENSTOCK_OP
};
inline constexpr int kOpCount = static_cast<int>(sizeof kOps / sizeof kOps[0]);
inline constexpr int kMaxArity = 3;

constexpr int index_of(Op op) { return static_cast<int>(op); }
constexpr const OpRow& row(Op op) { return kOps[index_of(op)]; }

/// The dtype of what an operation computes in a dtype.
inline DType result_of(Op op, DType compute) {
  switch (row(op).result) {
    case Result::kBool:
      return DType::k_bool;
    case Result::kRealPart:
      return real_of(compute);
    case Result::kFloat64:
      return DType::k_float64;
    case Result::kSame:
      break;
  }
  return compute;
}

enum class Accumulator : std::uint8_t { kWide, kSameReal, kIndex, kFloatPair };

enum class Reduction : std::uint8_t {
#define PENSTOCK_REDUCTION(name, functor, accumulator, empty) k_##name,
#include "penstock/op/reduce.def"
#undef PENSTOCK_REDUCTION
};

struct ReductionRow {
  const char* name;
  Accumulator accumulator;
  bool empty;
};

inline constexpr ReductionRow kReductions[] = {
#define PENSTOCK_REDUCTION(name, functor, accumulator, empty) {#name, Accumulator::accumulator, empty},
#include "penstock/op/reduce.def"
#undef PENSTOCK_REDUCTION
};
inline constexpr int kReductionCount = static_cast<int>(sizeof kReductions / sizeof kReductions[0]);

constexpr int index_of(Reduction r) { return static_cast<int>(r); }
constexpr const ReductionRow& row(Reduction r) { return kReductions[index_of(r)]; }

}  // namespace penstock
