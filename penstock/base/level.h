// SPDX-License-Identifier: Apache-2.0
// Optimisation levels: what part of the engine's speed each technique is worth can be measured by switching it off.
#pragma once

#include <string_view>

namespace penstock {

enum class Level : int {
  kNone,      // scalar kernels, one thread
  kSimd,      // vector kernels, one thread
  kParallel,  // scalar kernels, all threads
  kFull,      // vector kernels, all threads, memory optimisations (pool, huge pages, streaming stores)
};

/// PENSTOCK_LEVEL at first use; effective from the next evaluation on.
Level get_level();
void set_level(Level level);

/// Throws ArgumentError naming the four levels.
Level level_from_name(std::string_view name);
const char* level_name(Level level);

inline bool simd_enabled() { return get_level() == Level::kSimd || get_level() == Level::kFull; }
inline bool parallel_enabled() { return get_level() == Level::kParallel || get_level() == Level::kFull; }
inline bool memory_opt_enabled() { return get_level() == Level::kFull; }

}  // namespace penstock
