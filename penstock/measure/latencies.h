// SPDX-License-Identifier: Apache-2.0
// Durations of the engine's steps since the process started, as histograms.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "penstock/measure/histogram.h"
#include "penstock/measure/steps.h"

namespace penstock::measure {

/// Counts one duration of a step that has latencies.
void add_latency(Step step, std::int64_t nanoseconds);

/// (name, durations in nanoseconds) of each step that has latencies. What a later call has more of happened in between:
/// Counts::subtract.
std::vector<std::pair<const char*, Counts>> latency_counts();

}  // namespace penstock::measure
