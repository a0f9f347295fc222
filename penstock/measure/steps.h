// SPDX-License-Identifier: Apache-2.0
// The steps of the engine's work: the rows of steps.def.
#pragma once

#include <cstddef>

namespace penstock::measure {

enum class Step : int {
#define PENSTOCK_STEP(name, latencies, meaning) k_##name,
#include "penstock/measure/steps.def"
#undef PENSTOCK_STEP
  kEnd
};

namespace step_detail {

struct Row {
  const char* name;
  bool latencies;
};

inline constexpr Row kRows[] = {
#define PENSTOCK_STEP(name, latencies, meaning) {#name, latencies},
#include "penstock/measure/steps.def"
#undef PENSTOCK_STEP
};

}  // namespace step_detail

constexpr const char* name_of(Step step) { return step_detail::kRows[static_cast<std::size_t>(step)].name; }

/// Whether a histogram of the step's durations is kept.
constexpr bool has_latencies(Step step) { return step_detail::kRows[static_cast<std::size_t>(step)].latencies; }

}  // namespace penstock::measure
