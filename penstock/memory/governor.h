// SPDX-License-Identifier: Apache-2.0
// The governor: one byte budget for every buffer Penstock owns - results, tiles, read-ahead, states, idle pool blocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace penstock::memory {

class Governor {
 public:
  /// The process's governor.
  static Governor& instance();

  /// The budget in bytes: the set one, else PENSTOCK_MEMORY, else 80% of what machine and cgroup leave (re-read at
  /// most once a second; what Penstock holds already counts as left).
  std::int64_t budget();
  /// A new budget for everything from now on; 0 returns to the default. Lowering it gives idle pool blocks back at
  /// once.
  void set_budget(std::int64_t bytes);

  /// Takes `bytes` or throws BudgetError naming `what`, the need, the budget and the way out.
  void reserve(std::int64_t bytes, const char* what);
  bool try_reserve(std::int64_t bytes);
  void release(std::int64_t bytes) noexcept;

  /// Gives idle pool blocks back that live buffers leave no room for: to be called once a reservation has taken its
  /// block, which may be one of them. By the limit as last read: destructors come here too.
  void trim_idle() noexcept;

  /// Bytes reserved by live buffers.
  std::int64_t used() const { return used_.load(std::memory_order_relaxed); }
  /// Bytes that a plan may still take: the budget less what is used; idle pool blocks count as free.
  std::int64_t available();

 private:
  std::int64_t default_budget();
  std::int64_t limit_for(std::int64_t bytes);

  std::atomic<std::int64_t> used_{0};
  std::atomic<std::int64_t> set_{0};
  std::atomic<std::int64_t> default_{0};
  std::atomic<std::int64_t> default_read_at_{0};
  std::atomic<int> small_left_{0};  // small reservations until the next look at the clock
};

}  // namespace penstock::memory
