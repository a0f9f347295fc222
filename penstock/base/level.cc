// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/level.h"

#include <atomic>

#include "penstock/base/env.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

constexpr const char* kNames[] = {"none", "simd", "parallel", "full"};

std::atomic<Level>& current() {
  static std::atomic<Level> level{env_value(Env::kLEVEL, level_from_name).value_or(Level::kFull)};
  return level;
}

}  // namespace

Level get_level() { return current().load(std::memory_order_relaxed); }
void set_level(Level level) { current().store(level, std::memory_order_relaxed); }

Level level_from_name(std::string_view name) {
  for (int i = 0; i < 4; ++i) {
    if (name == kNames[i]) return static_cast<Level>(i);
  }
  throw ArgumentError(cat("'", name, "' is no optimisation level; use none, simd, parallel or full"));
}

const char* level_name(Level level) { return kNames[static_cast<int>(level)]; }

}  // namespace penstock
