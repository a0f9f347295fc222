// SPDX-License-Identifier: Apache-2.0
// The pool behind Buffer: blocks from 64 KiB on are kept when freed, by size class, because a fresh page costs more
// than most kernels that would fill it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::memory {

struct Block {
  std::byte* data = nullptr;
  std::int64_t capacity = 0;
};

/// The capacity a request is rounded up to: at most an eighth above it from 64 KiB on, or up to a whole 2 MiB page from
/// 2 MiB on.
std::int64_t pool_capacity(std::int64_t bytes);

/// A block of exactly pool_capacity(bytes): a kept one, else a fresh one. Throws std::bad_alloc.
Block pool_take(std::int64_t bytes);
void pool_give(Block block) noexcept;

std::int64_t pool_idle_bytes();
/// Frees idle blocks until at most `bytes` are kept; returns the bytes given back to the system.
std::int64_t trim_pool_to(std::int64_t bytes);

}  // namespace penstock::memory
