// SPDX-License-Identifier: Apache-2.0
#include "penstock/kernel/table.h"

#include "penstock/kernel/complex.h"
#include "penstock/simd/config.h"
#include "penstock/simd/target.h"

namespace penstock::kernel {

// What every family exports in every target's namespace.
#define PENSTOCK_FAMILY(name) void fill_##name(Table& table);
namespace N_SCALAR {
#include "penstock/kernel/families.def"
}  // namespace N_SCALAR
#if HWY_TARGETS & HWY_SSE4
namespace N_SSE4 {
#include "penstock/kernel/families.def"
}  // namespace N_SSE4
#endif
#if HWY_TARGETS & HWY_AVX2
namespace N_AVX2 {
#include "penstock/kernel/families.def"
}  // namespace N_AVX2
#endif
#if HWY_TARGETS & HWY_AVX3
namespace N_AVX3 {
#include "penstock/kernel/families.def"
}  // namespace N_AVX3
#endif
#if HWY_TARGETS & HWY_AVX3_DL
namespace N_AVX3_DL {
#include "penstock/kernel/families.def"
}  // namespace N_AVX3_DL
#endif
#if HWY_TARGETS & HWY_NEON
namespace N_NEON {
#include "penstock/kernel/families.def"
}  // namespace N_NEON
#endif
#undef PENSTOCK_FAMILY

namespace {

using simd::Target;

template <Target kTarget>
void fill_families(Table& table);

template <>
void fill_families<Target::kScalar>(Table& table) {
#define PENSTOCK_FAMILY(name) N_SCALAR::fill_##name(table);
#include "penstock/kernel/families.def"
#undef PENSTOCK_FAMILY
}
#if HWY_TARGETS & HWY_SSE4
template <>
void fill_families<Target::kSse4>(Table& table) {
#define PENSTOCK_FAMILY(name) N_SSE4::fill_##name(table);
#include "penstock/kernel/families.def"
#undef PENSTOCK_FAMILY
}
#endif
#if HWY_TARGETS & HWY_AVX2
template <>
void fill_families<Target::kAvx2>(Table& table) {
#define PENSTOCK_FAMILY(name) N_AVX2::fill_##name(table);
#include "penstock/kernel/families.def"
#undef PENSTOCK_FAMILY
}
#endif
#if HWY_TARGETS & HWY_AVX3
template <>
void fill_families<Target::kAvx3>(Table& table) {
#define PENSTOCK_FAMILY(name) N_AVX3::fill_##name(table);
#include "penstock/kernel/families.def"
#undef PENSTOCK_FAMILY
}
#endif
#if HWY_TARGETS & HWY_AVX3_DL
template <>
void fill_families<Target::kAvx3Dl>(Table& table) {
#define PENSTOCK_FAMILY(name) N_AVX3_DL::fill_##name(table);
#include "penstock/kernel/families.def"
#undef PENSTOCK_FAMILY
}
#endif
#if HWY_TARGETS & HWY_NEON
template <>
void fill_families<Target::kNeon>(Table& table) {
#define PENSTOCK_FAMILY(name) N_NEON::fill_##name(table);
#include "penstock/kernel/families.def"
#undef PENSTOCK_FAMILY
}
#endif

template <Target kTarget>
const Table& table_for() {
  static const Table made = [] {
    Table table{};
    table.target = simd::target_name(kTarget);
    fill_families<kTarget>(table);
    fill_complex_maths(table);
    return table;
  }();
  return made;
}

}  // namespace

const Table& table() {
  switch (simd::target()) {
#if HWY_TARGETS & HWY_SSE4
    case Target::kSse4:
      return table_for<Target::kSse4>();
#endif
#if HWY_TARGETS & HWY_AVX2
    case Target::kAvx2:
      return table_for<Target::kAvx2>();
#endif
#if HWY_TARGETS & HWY_AVX3
    case Target::kAvx3:
      return table_for<Target::kAvx3>();
#endif
#if HWY_TARGETS & HWY_AVX3_DL
    case Target::kAvx3Dl:
      return table_for<Target::kAvx3Dl>();
#endif
#if HWY_TARGETS & HWY_NEON
    case Target::kNeon:
      return table_for<Target::kNeon>();
#endif
    default:
      return table_for<Target::kScalar>();
  }
}

}  // namespace penstock::kernel
