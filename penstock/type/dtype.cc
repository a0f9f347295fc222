// SPDX-License-Identifier: Apache-2.0
#include "penstock/type/dtype.h"

#include <algorithm>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/text.h"

namespace penstock {
namespace {

DType of(Kind kind, std::int64_t size) {
  for (int i = 0; i < kDTypeCount; ++i) {
    if (kDTypes[i].kind == kind && kDTypes[i].size == size) return static_cast<DType>(i);
  }
  throw InternalError(cat("no dtype of kind ", static_cast<int>(kind), " and ", size, " bytes"));
}

/// The float that holds integers of `size` bytes exactly, as far as there is one: float32 up to 2 bytes, else float64.
DType float_for(std::int64_t size) { return size <= 2 ? DType::k_float32 : DType::k_float64; }

DType promote_integers(DType a, DType b) {
  const std::int64_t signed_size = kind_of(a) == Kind::kInt ? size_of(a) : size_of(b);
  const std::int64_t unsigned_size = kind_of(a) == Kind::kInt ? size_of(b) : size_of(a);
  if (signed_size > unsigned_size) return of(Kind::kInt, signed_size);
  if (unsigned_size == 8) return DType::k_float64;
  return of(Kind::kInt, unsigned_size * 2);
}

}  // namespace

DType dtype_from_name(std::string_view name) {
  std::vector<std::string> names;
  for (int i = 0; i < kDTypeCount; ++i) {
    if (name == kDTypes[i].name) return static_cast<DType>(i);
    names.emplace_back(kDTypes[i].name);
  }
  const std::string near = nearest(name, names);
  throw DTypeError(cat("'", name, "' is no dtype", near.empty() ? "" : cat("; did you mean ", near, "?")));
}

DType promote(DType a, DType b) {
  if (a == b) return a;
  Kind low = kind_of(a);
  Kind high = kind_of(b);
  if (low > high) {
    std::swap(a, b);
    std::swap(low, high);
  }
  if (low == high) return size_of(a) > size_of(b) ? a : b;
  if (low == Kind::kBool) return b;
  if (high == Kind::kUInt) return promote_integers(a, b);
  if (high == Kind::kFloat) return promote(b, float_for(size_of(a)));
  const DType real = low == Kind::kFloat ? a : float_for(size_of(a));
  return size_of(b) == 16 || real == DType::k_float64 ? DType::k_complex128 : DType::k_complex64;
}

DType promote_weak(DType a, Kind scalar) {
  const Kind kind = kind_of(a);
  switch (scalar) {
    case Kind::kBool:
      return a;
    case Kind::kInt:
    case Kind::kUInt:
      return kind == Kind::kBool ? DType::k_int64 : a;
    case Kind::kFloat:
      return kind >= Kind::kFloat ? a : DType::k_float64;
    case Kind::kComplex:
      if (kind == Kind::kComplex) return a;
      return kind == Kind::kFloat && size_of(a) <= 4 ? DType::k_complex64 : DType::k_complex128;
  }
  __builtin_unreachable();
}

DType real_of(DType t) {
  if (t == DType::k_complex64) return DType::k_float32;
  return t == DType::k_complex128 ? DType::k_float64 : t;
}

DType complex_of(DType t) {
  if (t == DType::k_float32) return DType::k_complex64;
  if (t == DType::k_float64) return DType::k_complex128;
  throw DTypeError(cat("no complex dtype goes with ", name_of(t)));
}

bool can_cast(DType from, DType to) { return promote(from, to) == to; }

}  // namespace penstock
