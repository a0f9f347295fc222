// SPDX-License-Identifier: Apache-2.0
// The CPU targets: which this machine runs, which one is in use, and forcing another.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace penstock::simd {

enum class Target : int { kScalar, kSse4, kAvx2, kAvx3, kAvx3Dl, kNeon };

/// As PENSTOCK_SIMD spells it: scalar, sse4, avx2, avx3, avx3_dl, neon.
const char* target_name(Target target);

/// Throws ArgumentError naming the targets of this machine.
Target target_from_name(std::string_view name);

/// The targets compiled in that this CPU can run, best last; scalar is always the first.
const std::vector<Target>& targets();

/// The target in use: the forced one, else PENSTOCK_SIMD, else the best; kScalar while the level has SIMD off.
/// One relaxed load after the first call. A PENSTOCK_SIMD that this machine can't run throws ArgumentError.
Target target();

/// Forces a target (nothing: back to the default); effective from the next evaluation on. Throws ArgumentError when
/// this machine can't run it.
void force_target(std::optional<Target> target);

/// CPU features as the operating system allows them: "sse4.2 avx2 fma avx512f avx512bw avx512vnni avx512vpopcntdq gfni
/// neon".
std::vector<std::string_view> cpu_features();

/// Whether scalar code may use fused multiply-add: the scalar target then gives the bits of the vector targets in
/// maths.
bool has_fma();

}  // namespace penstock::simd
