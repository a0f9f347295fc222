// SPDX-License-Identifier: Apache-2.0
// Which target's loops kernel/ceilings.h gives out: apart from Table, which every kernel is compiled with.
#include "penstock/kernel/ceilings.h"
#include "penstock/simd/config.h"
#include "penstock/simd/target.h"

namespace penstock::kernel {

using simd::Target;

// One row a vector target that is compiled in: Highway's namespace, Penstock's name.
#if HWY_TARGETS & HWY_SSE4
#define PENSTOCK_WITH_SSE4(row) row(N_SSE4, kSse4)
#else
#define PENSTOCK_WITH_SSE4(row)
#endif
#if HWY_TARGETS & HWY_AVX2
#define PENSTOCK_WITH_AVX2(row) row(N_AVX2, kAvx2)
#else
#define PENSTOCK_WITH_AVX2(row)
#endif
#if HWY_TARGETS & HWY_AVX3
#define PENSTOCK_WITH_AVX3(row) row(N_AVX3, kAvx3)
#else
#define PENSTOCK_WITH_AVX3(row)
#endif
#if HWY_TARGETS & HWY_AVX3_DL
#define PENSTOCK_WITH_AVX3_DL(row) row(N_AVX3_DL, kAvx3Dl)
#else
#define PENSTOCK_WITH_AVX3_DL(row)
#endif
#if HWY_TARGETS & HWY_NEON
#define PENSTOCK_WITH_NEON(row) row(N_NEON, kNeon)
#else
#define PENSTOCK_WITH_NEON(row)
#endif
#define PENSTOCK_VECTOR_TARGETS(row) \
  PENSTOCK_WITH_SSE4(row)            \
  PENSTOCK_WITH_AVX2(row) PENSTOCK_WITH_AVX3(row) PENSTOCK_WITH_AVX3_DL(row) PENSTOCK_WITH_NEON(row)

#define PENSTOCK_DECLARE(space, name) \
  namespace space {                   \
  Ceilings ceilings_of_target();      \
  }
PENSTOCK_DECLARE(N_SCALAR, kScalar)
PENSTOCK_VECTOR_TARGETS(PENSTOCK_DECLARE)
#undef PENSTOCK_DECLARE

Ceilings ceilings() {
  switch (simd::target()) {
#define PENSTOCK_CASE(space, name) \
  case Target::name:               \
    return space::ceilings_of_target();
    PENSTOCK_VECTOR_TARGETS(PENSTOCK_CASE)
#undef PENSTOCK_CASE
    default:
      return N_SCALAR::ceilings_of_target();
  }
}

}  // namespace penstock::kernel
