// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/crew.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <vector>

#include "penstock/thread/parallel.h"

namespace penstock::run {

void share(const Crew& crew, std::int64_t n, const std::function<void(int, std::int64_t)>& f) {
  const int used = static_cast<int>(std::min<std::int64_t>(n, crew.threads));
  if (used <= 1) {
    for (std::int64_t i = 0; i < n; ++i) {
      if (crew.tick != nullptr) (*crew.tick)();
      f(0, i);
    }
    return;
  }
  struct alignas(64) Range {
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
  };
  std::vector<Range> ranges(static_cast<std::size_t>(used));
  for (int w = 0; w < used; ++w) {
    ranges[static_cast<std::size_t>(w)].next = n * w / used;
    ranges[static_cast<std::size_t>(w)].end = n * (w + 1) / used;
  }
  std::atomic<bool> stop{false};
  thread::on_workers(used, [&](int worker) {
    try {
      // Its own range first, the same from call to call: what lies there may be in its cache. Then what others left.
      for (int w = worker; w < worker + used; ++w) {
        Range& range = ranges[static_cast<std::size_t>(w % used)];
        for (std::int64_t i = range.next++; i < range.end && !stop; i = range.next++) {
          if (crew.tick != nullptr) (*crew.tick)();
          f(worker, i);
        }
      }
    } catch (...) {
      stop = true;
      throw;
    }
  });
}

}  // namespace penstock::run
