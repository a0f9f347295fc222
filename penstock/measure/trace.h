// SPDX-License-Identifier: Apache-2.0
// Spans of time, off by default, as a trace that chrome://tracing and Perfetto show.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

namespace penstock::measure {

/// Forgets earlier spans and records from now on. At most kMostSpans are kept; later ones are counted only.
void start_trace();
/// Stops recording, and returns the spans that ended since start_trace as Chrome's trace JSON: "traceEvents" with
/// complete events ("ph": "X"), times in microseconds since the start, "tid" from 1 on in the order in which threads
/// came; "dropped" is how many did not fit.
std::string stop_trace();

inline constexpr std::size_t kMostSpans = std::size_t{1} << 20;

namespace trace_detail {
using Clock = std::chrono::steady_clock;
inline std::atomic<bool> recording{false};
void record(const char* name, Clock::time_point begin, Clock::time_point end);
}  // namespace trace_detail

/// Records the time from its making to its end under a name that lives as long as the process. While nothing records
/// it costs one relaxed load.
class Span {
 public:
  explicit Span(const char* name) : name_(trace_detail::recording.load(std::memory_order_relaxed) ? name : nullptr) {
    if (name_ != nullptr) begin_ = trace_detail::Clock::now();
  }
  ~Span() {
    if (name_ != nullptr) trace_detail::record(name_, begin_, trace_detail::Clock::now());
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

 private:
  const char* name_;
  trace_detail::Clock::time_point begin_;
};

}  // namespace penstock::measure
