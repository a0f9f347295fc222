// SPDX-License-Identifier: Apache-2.0
#include "penstock/simd/target.h"
#include "penstock/simd/config.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "hwy/targets.h"
#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/level.h"

namespace penstock::simd {
namespace {

struct Row {
  Target target;
  const char* name;
  std::int64_t bit;  // Highway's
};

// Best last; the scalar target is part of every build.
constexpr Row kRows[] = {
    {Target::kScalar, "scalar", 0},
#if defined(__x86_64__)
    {Target::kSse4, "sse4", HWY_SSE4}, {Target::kAvx2, "avx2", HWY_AVX2},
    {Target::kAvx3, "avx3", HWY_AVX3}, {Target::kAvx3Dl, "avx3_dl", HWY_AVX3_DL},
#elif defined(__aarch64__)
    {Target::kNeon, "neon", HWY_NEON},
#endif
};

std::vector<Target> find_targets() {
  const std::int64_t supported = hwy::SupportedTargets() & (HWY_TARGETS);
  std::vector<Target> found;
  for (const Row& each : kRows) {
    if (each.bit == 0 || (supported & each.bit) != 0) found.push_back(each.target);
  }
  return found;
}

constexpr int kUnset = -1;

// The forced target, or kUnset.
std::atomic<int> forced{kUnset};

Target default_target() {
  static const Target found = env_value(Env::kSIMD, target_from_name).value_or(targets().back());
  return found;
}

}  // namespace

const char* target_name(Target target) {
  for (const Row& each : kRows) {
    if (each.target == target) return each.name;
  }
  return "foreign";
}

Target target_from_name(std::string_view name) {
  std::string names;
  for (const Target each : targets()) {
    if (name == target_name(each)) return each;
    names += cat(names.empty() ? "" : ", ", target_name(each));
  }
  throw ArgumentError(cat("'", name, "' is no SIMD target of this machine; use one of ", names));
}

const std::vector<Target>& targets() {
  static const std::vector<Target> found = find_targets();
  return found;
}

Target target() {
  if (!simd_enabled()) return Target::kScalar;
  const int now = forced.load(std::memory_order_relaxed);
  return now == kUnset ? default_target() : static_cast<Target>(now);
}

void force_target(std::optional<Target> target) {
  if (!target) {
    forced.store(kUnset, std::memory_order_relaxed);
    return;
  }
  if (std::find(targets().begin(), targets().end(), *target) == targets().end()) {
    throw ArgumentError(
        cat("this machine has no SIMD target ", target_name(*target), "; its best is ", target_name(targets().back())));
  }
  forced.store(static_cast<int>(*target), std::memory_order_relaxed);
}

std::vector<std::string_view> cpu_features() {
  std::vector<std::string_view> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
#define PENSTOCK_CPU_FEATURE(name) \
  if (__builtin_cpu_supports(name)) found.push_back(name);
  PENSTOCK_CPU_FEATURE("sse4.2")
  PENSTOCK_CPU_FEATURE("avx2")
  PENSTOCK_CPU_FEATURE("fma")
  PENSTOCK_CPU_FEATURE("avx512f")
  PENSTOCK_CPU_FEATURE("avx512bw")
  PENSTOCK_CPU_FEATURE("avx512vnni")
  PENSTOCK_CPU_FEATURE("avx512vpopcntdq")
  PENSTOCK_CPU_FEATURE("gfni")
#undef PENSTOCK_CPU_FEATURE
#elif defined(__aarch64__)
  found.push_back("neon");
#endif
  return found;
}

bool has_fma() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("fma") != 0;
#else
  return true;
#endif
}

}  // namespace penstock::simd
