// SPDX-License-Identifier: Apache-2.0
// Blocks below 64 KiB: each thread keeps what it gave back, by size class, so that small results take and give memory
// without waiting for another thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/memory/buffer.h"

namespace penstock::memory {

inline constexpr std::int64_t kSmall = 64 << 10;           // bytes: capacities from here on are the pool's
inline constexpr std::int64_t kMostSmallIdle = 256 << 10;  // bytes that a thread keeps

/// The size class of a request below kSmall: a multiple of 64 up to 4 KiB, then at most an eighth more. May be kSmall.
std::int64_t small_capacity(std::int64_t bytes);

/// A block of `capacity` bytes, a result of small_capacity() below kSmall, 64-byte aligned. Throws std::bad_alloc.
std::byte* take_small(std::int64_t capacity);
void give_small(std::byte* data, std::int64_t capacity) noexcept;

/// Frees what all threads keep; returns the bytes.
std::int64_t trim_small();
/// Of all threads, those that have ended included.
PoolStats small_stats();

/// Called around a fork, so that the child finds no list in the middle of a change.
void before_fork_small();
void after_fork_small(bool child);

}  // namespace penstock::memory
