// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/small_blocks.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "penstock/base/level.h"

namespace penstock::memory {
namespace {

constexpr std::int64_t kLinear = 4096;  // bytes: classes of 64 up to here, eight a doubling from here on
constexpr std::size_t kClasses = 64 + 8 * 4;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeeps = false;  // so that the sanitizer sees each block's end
#else
constexpr bool kKeeps = true;
#endif

std::size_t class_of(std::int64_t capacity) {
  if (capacity <= kLinear) return static_cast<std::size_t>(capacity / 64 - 1);
  const auto bits = static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(capacity)) - 1);
  const auto eighths = static_cast<std::size_t>((capacity - (std::int64_t{1} << bits)) >> (bits - 3));
  return 63 + (bits - 12) * 8 + eighths;
}

std::byte* fresh(std::int64_t capacity) {
  auto* data = static_cast<std::byte*>(
      std::aligned_alloc(static_cast<std::size_t>(kAlignment), static_cast<std::size_t>(capacity)));
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

/// What one thread keeps: lists linked through the blocks' first bytes. Others look at it only to trim and to count.
class Shelf {
 public:
  std::byte* take(std::int64_t capacity) {
    const Hold hold(*this);
    std::byte*& head = heads_[class_of(capacity)];
    std::byte* data = head;
    if (data == nullptr) {
      data = fresh(capacity);
      ++stats_.misses;
    } else {
      std::memcpy(&head, data, sizeof head);
      stats_.idle_bytes -= capacity;
      ++stats_.hits;
    }
    stats_.live_bytes += capacity;
    return data;
  }

  void give(std::byte* data, std::int64_t capacity) {
    const Hold hold(*this);
    stats_.live_bytes -= capacity;
    if (!kKeeps || !memory_opt_enabled() || stats_.idle_bytes + capacity > kMostSmallIdle) {
      std::free(data);
      return;
    }
    std::byte*& head = heads_[class_of(capacity)];
    std::memcpy(data, &head, sizeof head);
    head = data;
    stats_.idle_bytes += capacity;
  }

  std::int64_t trim() {
    const Hold hold(*this);
    for (std::byte*& head : heads_) {
      while (head != nullptr) {
        std::byte* data = head;
        std::memcpy(&head, data, sizeof head);
        std::free(data);
      }
    }
    const std::int64_t freed = stats_.idle_bytes;
    stats_.idle_bytes = 0;
    return freed;
  }

  PoolStats stats() {
    const Hold hold(*this);
    return stats_;
  }
  /// Of a thread that is no more.
  PoolStats stats_left() const { return stats_; }

 private:
  /// The owner's each time, and almost never anybody else's.
  class Hold {
   public:
    explicit Hold(Shelf& shelf) : shelf_(shelf) {
      while (shelf_.held_.exchange(true, std::memory_order_acquire)) {
      }
    }
    ~Hold() { shelf_.held_.store(false, std::memory_order_release); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Shelf& shelf_;
  };

  std::atomic<bool> held_{false};
  PoolStats stats_;
  std::byte* heads_[kClasses] = {};
};

void add(PoolStats& to, const PoolStats& more) {
  to.hits += more.hits;
  to.misses += more.misses;
  to.idle_bytes += more.idle_bytes;
  to.live_bytes += more.live_bytes;
}

struct Shelves {
  std::mutex mutex;
  std::vector<Shelf*> all;  // of running threads
  PoolStats ended;          // of the others
  Shelf last;               // for threads whose own is gone already
};

Shelves& shelves() {
  static Shelves* made = new Shelves;
  return *made;
}

// Read at each small result: without the call that looks for a library's variables of a thread.
__attribute__((tls_model("initial-exec"))) thread_local Shelf* own = nullptr;

/// Gives a thread its shelf and takes it away when the thread ends; later gives go to Shelves::last.
struct Owner {
  Owner() {
    auto made = std::make_unique<Shelf>();
    const std::lock_guard lock(shelves().mutex);
    shelves().all.push_back(made.get());
    own = made.release();
  }
  ~Owner() {
    const std::unique_ptr<Shelf> ended(own);
    own = &shelves().last;
    ended->trim();
    const std::lock_guard lock(shelves().mutex);
    std::erase(shelves().all, ended.get());
    add(shelves().ended, ended->stats());
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
};

Shelf& shelf() {
  if (own == nullptr) {
    thread_local const Owner owner;
    static_cast<void>(owner);
  }
  return *own;
}

}  // namespace

std::int64_t small_capacity(std::int64_t bytes) {
  const std::int64_t least = std::max<std::int64_t>(bytes, 1);
  const auto power = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(least)));
  const std::int64_t step = least < kLinear ? kAlignment : power / 8;
  return (least + step - 1) / step * step;
}

std::byte* take_small(std::int64_t capacity) { return shelf().take(capacity); }

void give_small(std::byte* data, std::int64_t capacity) noexcept {
  // A thread's first call may be this one; without memory for a shelf, the shared one serves.
  try {
    shelf().give(data, capacity);
  } catch (const std::bad_alloc&) {
    shelves().last.give(data, capacity);
  }
}

std::int64_t trim_small() {
  const std::lock_guard lock(shelves().mutex);
  std::int64_t freed = shelves().last.trim();
  for (Shelf* each : shelves().all) freed += each->trim();
  return freed;
}

PoolStats small_stats() {
  const std::lock_guard lock(shelves().mutex);
  PoolStats total = shelves().ended;
  add(total, shelves().last.stats());
  for (Shelf* each : shelves().all) add(total, each->stats());
  return total;
}

void before_fork_small() { shelves().mutex.lock(); }

void after_fork_small(bool child) {
  if (child) {
    // The other threads' shelves may be in the middle of a change: what lies on them is lost to the child.
    std::erase_if(shelves().all, [](Shelf* each) {
      if (each == own) return false;
      PoolStats left = each->stats_left();
      left.idle_bytes = 0;
      add(shelves().ended, left);
      return true;
    });
  }
  shelves().mutex.unlock();
}

}  // namespace penstock::memory
