// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/governor.h"

#include <algorithm>

#include "penstock/base/clock.h"
#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/machine.h"
#include "penstock/base/text.h"
#include "penstock/memory/buffer.h"
#include "penstock/memory/pool.h"

namespace penstock::memory {

Governor& Governor::instance() {
  static Governor* governor = new Governor;  // outlives every buffer of static storage
  return *governor;
}

std::int64_t Governor::default_budget() {
  constexpr std::int64_t kReread = 1'000'000'000;
  const std::int64_t now = coarse_ns();
  const std::int64_t read_at = default_read_at_.load(std::memory_order_acquire);
  if (read_at != 0 && now - read_at < kReread) return default_.load(std::memory_order_relaxed);
  const MemoryFacts facts = memory_facts();
  // What Penstock holds already is its own to use: it counts as left.
  const std::int64_t left = facts.usable() + used() + pool_idle_bytes();
  const auto asked = env_value(Env::kMEMORY, [left](const std::string& text) { return parse_bytes(text, left); });
  const std::int64_t budget = asked.value_or(left / 100 * 80);
  default_.store(budget, std::memory_order_relaxed);
  default_read_at_.store(now, std::memory_order_release);
  return budget;
}

std::int64_t Governor::budget() {
  const std::int64_t set = set_.load(std::memory_order_relaxed);
  return set > 0 ? set : default_budget();
}

void Governor::set_budget(std::int64_t bytes) {
  if (bytes < 0) throw ArgumentError(cat("memory budget ", bytes, " is negative"));
  set_.store(bytes, std::memory_order_relaxed);
  trim_pool_to(std::max<std::int64_t>(0, budget() - used()));
}

/// The budget, for small reservations as it was last read: a look at the clock takes longer than many of them, so one
/// in some hundred looks, which together take some megabytes. Threads that count at once only make it more or less.
std::int64_t Governor::limit_for(std::int64_t bytes) {
  constexpr std::int64_t kSmall = 16 << 10;
  constexpr int kUnlooked = 256;
  if (bytes > kSmall || set_.load(std::memory_order_relaxed) > 0) return budget();
  const int left = small_left_.load(std::memory_order_acquire);
  if (left > 0) {
    small_left_.store(left - 1, std::memory_order_release);
    return default_.load(std::memory_order_relaxed);
  }
  const std::int64_t limit = budget();
  small_left_.store(kUnlooked, std::memory_order_release);  // who sees it sees a default that has been read
  return limit;
}

bool Governor::try_reserve(std::int64_t bytes) {
  const std::int64_t limit = limit_for(bytes);
  std::int64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit - used) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

void Governor::reserve(std::int64_t bytes, const char* what) {
  if (try_reserve(bytes)) return;
  throw BudgetError(
      cat(what, " needs ", bytes_text(bytes), "; ", bytes_text(available()), " of the memory budget of ",
          bytes_text(budget()),
          " is free. Save the result to a file instead (ps.save, penstock eval -o), "
          "drop arrays that are no longer needed, or raise the budget (PENSTOCK_MEMORY, ps.memory_budget)"));
}

void Governor::release(std::int64_t bytes) noexcept {
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  trim_idle();  // what was live above a budget lowered meanwhile is not kept
}

void Governor::trim_idle() noexcept {
  const std::int64_t set = set_.load(std::memory_order_relaxed);
  const std::int64_t limit = set > 0 ? set : default_.load(std::memory_order_relaxed);
  const std::int64_t most_idle = std::max<std::int64_t>(0, limit - used());
  if (pool_idle_bytes() > most_idle) trim_pool_to(most_idle);
}

std::int64_t Governor::available() { return std::max<std::int64_t>(0, budget() - used()); }

}  // namespace penstock::memory
