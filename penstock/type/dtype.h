// SPDX-License-Identifier: Apache-2.0
// Element types and the rules by which they promote (the array API's, and NumPy's where that leaves a mix open).
#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock {

/// The bits of an IEEE 754 binary16 number; storage only.
struct Half {
  std::uint16_t bits;
};

enum class Kind : std::uint8_t { kBool, kInt, kUInt, kFloat, kComplex };

enum class DType : std::uint8_t {
#define PENSTOCK_DTYPE(name, type, kind, npy) k_##name,
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE
};

struct DTypeRow {
  const char* name;
  Kind kind;
  std::int64_t size;  // bytes
  const char* npy;    // without the byte-order character
};

inline constexpr DTypeRow kDTypes[] = {
#define PENSTOCK_DTYPE(name, type, kind, npy) {#name, Kind::kind, sizeof(type), npy},
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE
};
inline constexpr int kDTypeCount = static_cast<int>(std::size(kDTypes));

constexpr int index_of(DType t) { return static_cast<int>(t); }
constexpr const DTypeRow& row(DType t) { return kDTypes[index_of(t)]; }
constexpr std::int64_t size_of(DType t) { return row(t).size; }
constexpr Kind kind_of(DType t) { return row(t).kind; }
constexpr const char* name_of(DType t) { return row(t).name; }
constexpr bool is_integer(DType t) { return kind_of(t) == Kind::kInt || kind_of(t) == Kind::kUInt; }

/// The dtype of a C++ element type: `kDTypeOf<float>`.
template <class T>
inline constexpr DType kDTypeOf = DType::k_bool;
#define PENSTOCK_DTYPE(name, type, kind, npy) \
  template <>                                 \
  inline constexpr DType kDTypeOf<type> = DType::k_##name;
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE

/// Calls `f.template operator()<T>()` with the C++ type of `t`.
template <class F>
decltype(auto) visit(DType t, F&& f) {
  switch (t) {
#define PENSTOCK_DTYPE(name, type, kind, npy) \
  case DType::k_##name:                       \
    return f.template operator()<type>();
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE
  }
  __builtin_unreachable();
}

/// From a name such as "float32"; throws DTypeError with the nearest name otherwise.
DType dtype_from_name(std::string_view name);

/// The common dtype of two arrays. Within a kind: the array API's table. Across kinds: NumPy's
/// (int32 with float32 gives float64; int64 with uint64 gives float64; bool gives way to all).
DType promote(DType a, DType b);

/// A Python scalar's kind promotes weakly: `a` if it can hold that kind, else the smallest dtype of that kind that
/// goes with `a` (int64, float64 and complex128, or float32's partner complex64). See result_type in the array API.
DType promote_weak(DType a, Kind scalar);

/// complex64 -> float32, complex128 -> float64, anything else unchanged.
DType real_of(DType t);

/// float32 -> complex64, float64 -> complex128; throws DTypeError otherwise.
DType complex_of(DType t);

/// Whether every value of `from` can be held in `to` by promotion: promote(from, to) == to.
bool can_cast(DType from, DType to);

}  // namespace penstock
