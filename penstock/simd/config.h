// SPDX-License-Identifier: Apache-2.0
// Which CPU targets Highway compiles for. Comes before any header of Highway in every file compiled once per target.
#pragma once

// A *_scalar.cc compiles the scalar target whatever the build compiles otherwise.
#if defined(HWY_COMPILE_ONLY_SCALAR)
#undef HWY_COMPILE_ONLY_STATIC
#endif

// Penstock uses no cryptographic instruction; asking for them would only refuse CPUs and hypervisors without.
#if !defined(HWY_DISABLE_PCLMUL_AES)
#define HWY_DISABLE_PCLMUL_AES
#endif
#if !defined(HWY_WANT_AVX3_DL)
#define HWY_WANT_AVX3_DL
#endif

// SSSE3 lies below the oldest CPU that Penstock runs on. Vectors without a constant size (SVE) have no target yet:
// the loops keep virtual lanes in arrays of vectors.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)

#include "hwy/detect_targets.h"
