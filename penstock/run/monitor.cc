// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/monitor.h"

#include "penstock/base/error.h"
#include "penstock/memory/governor.h"

namespace penstock::run {

Monitor::Monitor(const Options& options, std::int64_t total) : options_(options), total_(total) {}

void Monitor::tick() {
  if (options_.stop.stop_requested()) throw Cancelled("the evaluation was cancelled");
  if (!options_.poll || std::this_thread::get_id() != owner_) return;
  const std::int64_t now = coarse_ns();
  if (now - last_ < kInterval) return;
  last_ = now;
  options_.poll({done_.load(std::memory_order_relaxed), total_, 1e-9 * static_cast<double>(now - begin_),
                 memory::Governor::instance().used()});
}

}  // namespace penstock::run
