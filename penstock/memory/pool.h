// SPDX-License-Identifier: Apache-2.0
// The pool behind Buffer: blocks are kept when freed, by size class, because a fresh page costs more than most kernels
// that would fill it. Blocks below 64 KiB are kept by each thread, memory/small_blocks.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::memory {

struct Block {
  std::byte* data = nullptr;
  std::int64_t capacity = 0;
};

/// The capacity a request is rounded up to: a multiple of 64 bytes up to 4 KiB, at most an eighth above it from there
/// on, or up to a whole 2 MiB page from 2 MiB on.
std::int64_t pool_capacity(std::int64_t bytes);

/// A block of exactly pool_capacity(bytes): a kept one, else a fresh one. Throws std::bad_alloc.
Block pool_take(std::int64_t bytes);
void pool_give(Block block) noexcept;

/// Bytes of idle blocks from 64 KiB on; what threads keep of smaller ones is bounded by kMostSmallIdle each.
std::int64_t pool_idle_bytes();
/// Frees idle blocks until at most `bytes` are kept, at 0 the small ones too; returns the bytes given back.
std::int64_t trim_pool_to(std::int64_t bytes);

}  // namespace penstock::memory
