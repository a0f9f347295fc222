// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/pool.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include "penstock/base/level.h"
#include "penstock/memory/buffer.h"
#include "penstock/memory/numa_place.h"
#include "penstock/memory/small_blocks.h"

namespace penstock::memory {
namespace {

constexpr std::int64_t kHuge = 2 << 20;  // from here on 2 MiB pages
constexpr std::int64_t kPage = 4096;

struct Pool {
  std::mutex mutex;
  std::map<std::int64_t, std::vector<std::byte*>> idle;  // by capacity
  std::atomic<std::int64_t> idle_bytes{0};
  std::atomic<std::int64_t> hits{0};
  std::atomic<std::int64_t> misses{0};
  std::atomic<std::int64_t> live_bytes{0};
};

Pool& pool() {
  static Pool* made = [] {
    auto* p = new Pool;
    // A fork in the middle of another thread's call must not leave the child with a locked pool.
    pthread_atfork(
        [] {
          pool().mutex.lock();
          before_fork_small();
        },
        [] {
          after_fork_small(false);
          pool().mutex.unlock();
        },
        [] {
          after_fork_small(true);
          pool().mutex.unlock();
        });
    return p;
  }();
  return *made;
}

std::byte* map_fresh(std::int64_t capacity) {
  const std::int64_t alignment = capacity >= kHuge ? kHuge : kPage;
  const auto wanted = static_cast<std::size_t>(capacity + (alignment > kPage ? alignment : 0));
  void* mapped = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* base = static_cast<std::byte*>(mapped);
  auto* aligned = base + (-reinterpret_cast<std::uintptr_t>(base) & static_cast<std::uintptr_t>(alignment - 1));
  if (aligned != base) munmap(base, static_cast<std::size_t>(aligned - base));
  std::byte* end = aligned + capacity;
  if (base + wanted != end) munmap(end, static_cast<std::size_t>(base + wanted - end));
  if (capacity >= kHuge && memory_opt_enabled()) madvise(aligned, static_cast<std::size_t>(capacity), MADV_HUGEPAGE);
  if (capacity >= kHuge && memory_opt_enabled()) place_on_nodes(aligned, capacity);
  return aligned;
}

}  // namespace

std::int64_t pool_capacity(std::int64_t bytes) {
  if (bytes < kSmall) return small_capacity(bytes);
  const auto power = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(bytes)));
  const std::int64_t step = bytes >= kHuge ? std::max(power / 8, kHuge) : std::max(power / 8, kPage);
  return (bytes + step - 1) / step * step;
}

Block pool_take(std::int64_t bytes) {
  memory_opt_enabled();  // a level that cannot be read is told here; pool_give, called by destructors, could not
  numa_placement();
  const std::int64_t capacity = pool_capacity(bytes);
  Pool& p = pool();
  if (capacity < kSmall) return {take_small(capacity), capacity};
  p.live_bytes.fetch_add(capacity, std::memory_order_relaxed);
  {
    const std::lock_guard lock(p.mutex);
    const auto found = p.idle.find(capacity);
    if (found != p.idle.end() && !found->second.empty()) {
      std::byte* data = found->second.back();
      found->second.pop_back();
      p.idle_bytes.fetch_sub(capacity, std::memory_order_relaxed);
      p.hits.fetch_add(1, std::memory_order_relaxed);
      return {data, capacity};
    }
  }
  p.misses.fetch_add(1, std::memory_order_relaxed);
  return {map_fresh(capacity), capacity};
}

void pool_give(Block block) noexcept {
  Pool& p = pool();
  if (block.capacity < kSmall) return give_small(block.data, block.capacity);
  p.live_bytes.fetch_sub(block.capacity, std::memory_order_relaxed);
  if (!memory_opt_enabled()) {
    munmap(block.data, static_cast<std::size_t>(block.capacity));
    return;
  }
  try {
    const std::lock_guard lock(p.mutex);
    p.idle[block.capacity].push_back(block.data);
    p.idle_bytes.fetch_add(block.capacity, std::memory_order_relaxed);
  } catch (const std::bad_alloc&) {
    munmap(block.data, static_cast<std::size_t>(block.capacity));
  }
}

std::int64_t pool_idle_bytes() { return pool().idle_bytes.load(std::memory_order_relaxed); }

std::int64_t trim_pool_to(std::int64_t bytes) {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  std::int64_t freed = bytes == 0 ? trim_small() : 0;
  // The largest go first: fewest calls for most bytes.
  while (p.idle_bytes.load(std::memory_order_relaxed) > bytes && !p.idle.empty()) {
    const auto last = std::prev(p.idle.end());
    const std::int64_t capacity = last->first;
    if (last->second.empty()) {
      p.idle.erase(last);
      continue;
    }
    munmap(last->second.back(), static_cast<std::size_t>(capacity));
    last->second.pop_back();
    p.idle_bytes.fetch_sub(capacity, std::memory_order_relaxed);
    freed += capacity;
  }
  return freed;
}

PoolStats pool_stats() {
  const Pool& p = pool();
  PoolStats stats = small_stats();
  stats.hits += p.hits.load(std::memory_order_relaxed);
  stats.misses += p.misses.load(std::memory_order_relaxed);
  stats.idle_bytes += p.idle_bytes.load(std::memory_order_relaxed);
  stats.live_bytes += p.live_bytes.load(std::memory_order_relaxed);
  return stats;
}

std::int64_t trim_pool() { return trim_pool_to(0); }

}  // namespace penstock::memory
