// SPDX-License-Identifier: Apache-2.0
// The time a step of the engine takes, from the span's making to its end: a latency where the step has these, a span of
// the trace while one is recorded, an NVTX range where that is built in.
#pragma once

#include "penstock/measure/latencies.h"
#include "penstock/measure/nvtx.h"
#include "penstock/measure/steps.h"
#include "penstock/measure/trace.h"

namespace penstock::measure {

/// Spans of a thread nest. A step without latencies costs one relaxed load while nothing is recorded; one with them
/// reads the clock twice. Never to be made where a fault may jump over its end: under memory::guarded.
class Span {
 public:
  explicit Span(Step step) : step_(step), traced_(trace_detail::recording.load(std::memory_order_relaxed)) {
    if constexpr (kNvtx) nvtx_push(name_of(step));
    if (has_latencies(step) || traced_) begin_ = trace_detail::Clock::now();
  }
  ~Span() { end(); }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  /// Ends it before its scope does.
  void end() {
    if (ended_) return;
    close();
    if (!has_latencies(step_) && !traced_) return;
    const trace_detail::Clock::time_point now = trace_detail::Clock::now();
    if (has_latencies(step_)) add_latency(step_, std::chrono::nanoseconds(now - begin_).count());
    if (traced_) trace_detail::record(step_, begin_, now);
  }

  /// Ends it as if it had not been.
  void cancel() {
    if (!ended_) close();
  }

 private:
  void close() {
    ended_ = true;
    if constexpr (kNvtx) nvtx_pop();
  }

  Step step_;
  bool traced_;
  bool ended_ = false;
  trace_detail::Clock::time_point begin_;
};

}  // namespace penstock::measure
