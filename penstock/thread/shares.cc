// SPDX-License-Identifier: Apache-2.0
#include "penstock/thread/shares.h"

namespace penstock::thread {

Shares::Shares(std::int64_t n, int workers) : ranges_(static_cast<std::size_t>(workers)) {
  for (int w = 0; w < workers; ++w) {
    Range& range = ranges_[static_cast<std::size_t>(w)];
    range.next.store(n * w / workers, std::memory_order_relaxed);
    range.end = n * (w + 1) / workers;
  }
}

std::int64_t Shares::claim(int worker) {
  const auto own = static_cast<std::size_t>(worker);
  for (std::size_t i = own; i < own + ranges_.size(); ++i) {
    Range& range = ranges_[i % ranges_.size()];
    if (range.next.load(std::memory_order_relaxed) >= range.end) continue;
    const std::int64_t item = range.next.fetch_add(1, std::memory_order_relaxed);
    if (item < range.end) return item;
  }
  return -1;
}

void Shares::stop() {
  for (Range& range : ranges_) range.next.store(range.end, std::memory_order_relaxed);
}

}  // namespace penstock::thread
