// SPDX-License-Identifier: Apache-2.0
// Items of a loop shared out to its workers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace penstock::thread {

/// Items [0, n), each claimed by one worker. A worker goes through a range of its own, the same in each loop of as many
/// items, because what lies there may still be in its CPU's cache; then through what is left of the others', so that a
/// slow one holds nobody up.
class Shares {
 public:
  Shares(std::int64_t n, int workers);

  /// The worker's next item; -1 when there is none left, or after stop().
  std::int64_t claim(int worker);
  void stop();

 private:
  /// As far from the next as CPUs' cache lines, which no two share; memory of a larger alignment is slow to get.
  struct Range {
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
    std::byte apart[48];
  };

  std::vector<Range> ranges_;
};

}  // namespace penstock::thread
