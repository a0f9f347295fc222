// SPDX-License-Identifier: Apache-2.0
// The spans of the engine's steps, off by default, as a trace that chrome://tracing and Perfetto show.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

#include "penstock/measure/steps.h"

namespace penstock::measure {

/// Of one trace, some 25 MB of memory.
inline constexpr std::size_t kMostSpans = std::size_t{1} << 20;

/// Records spans from now on; the first `most` are kept, later ones are counted only. False, and nothing done, when
/// this process records already. A forked child records nothing until it starts a trace of its own.
bool start_trace(std::size_t most = kMostSpans);
/// Stops recording, and returns the spans that began and ended since start_trace as Chrome's trace JSON: "traceEvents"
/// with complete events ("ph": "X"), times in microseconds since the start, "tid" from 1 on in the order in which
/// threads came; "dropped" is how many did not fit. Without a trace there are none.
std::string stop_trace();

namespace trace_detail {
using Clock = std::chrono::steady_clock;
inline std::atomic<bool> recording{false};
void record(Step step, Clock::time_point begin, Clock::time_point end);
}  // namespace trace_detail

}  // namespace penstock::measure
