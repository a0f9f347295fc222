// SPDX-License-Identifier: Apache-2.0
// Progress of an evaluation, and the way to stop it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <thread>

#include "penstock/base/clock.h"

namespace penstock::run {

struct Progress {
  std::int64_t done = 0;  // bytes of sources and file outputs dealt with
  std::int64_t total = 0;
  double seconds = 0;
  std::int64_t memory = 0;  // bytes held under the governor
};

struct Options {
  /// Called on the evaluating thread every 10 ms or so; what it throws ends the evaluation.
  std::function<void(const Progress&)> poll;
  std::stop_token stop;
};

class Monitor {
 public:
  Monitor(const Options& options, std::int64_t total);

  /// To be called at least every few milliseconds, from any thread; polls on the evaluating one. Throws Cancelled when
  /// a stop is requested.
  void tick();
  void add(std::int64_t bytes) { done_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t kInterval = 10'000'000;  // nanoseconds

  const Options& options_;
  const std::int64_t total_;
  const std::thread::id owner_ = std::this_thread::get_id();
  const std::int64_t begin_ = coarse_ns();
  std::int64_t last_ = begin_;
  // A line of its own: all threads write it, and read the others.
  alignas(64) std::atomic<std::int64_t> done_{0};
};

}  // namespace penstock::run
