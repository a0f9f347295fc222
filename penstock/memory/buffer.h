// SPDX-License-Identifier: Apache-2.0
// Buffers: aligned memory from the pool, counted by the governor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace penstock::memory {

inline constexpr std::int64_t kAlignment = 64;

/// An owned block of `size` bytes, 64-byte aligned (4,096-byte aligned from 64 KiB on, 2 MiB and on huge pages from
/// 2 MiB on). Contents are undefined. Move-only; goes back to the pool when destroyed.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer();

  /// Throws BudgetError naming `what` when the budget has no room.
  static Buffer allocate(std::int64_t bytes, const char* what);

  std::byte* data() const { return data_; }
  std::int64_t size() const { return size_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  std::byte* data_ = nullptr;
  std::int64_t size_ = 0;
  std::int64_t capacity_ = 0;
};

/// Memory that arrays share: a Buffer, a NumPy array kept alive, a mapping.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual std::byte* data() const = 0;
  /// Bytes of the whole block where that is Penstock's own: it may be written in place when nobody else holds it. Else
  /// 0.
  virtual std::int64_t owned_bytes() const { return 0; }

  /// 0, or the fork_generation() of the process in which an evaluation has taken these elements over: negative once it
  /// writes, the least int where that failed. Guarded by the mutex of the graphs' nodes.
  int rewritten = 0;
};

std::shared_ptr<Memory> share(Buffer buffer);

struct PoolStats {
  std::int64_t hits = 0;
  std::int64_t misses = 0;
  std::int64_t idle_bytes = 0;
  std::int64_t live_bytes = 0;
};
PoolStats pool_stats();

/// Gives every idle block back to the system; returns the bytes given back.
std::int64_t trim_pool();

}  // namespace penstock::memory
