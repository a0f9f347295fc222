// SPDX-License-Identifier: Apache-2.0
// Memory that each thread of a computation has for itself.
#pragma once

#include <cstdint>
#include <vector>

#include "penstock/memory/buffer.h"
#include "penstock/memory/pool.h"

namespace penstock::run {

/// A buffer for each thread. Throws BudgetError, which names what the bytes are for.
inline std::vector<memory::Buffer> rooms_for(int threads, std::int64_t bytes, const char* what) {
  std::vector<memory::Buffer> rooms;
  for (int i = 0; i < threads; ++i) rooms.push_back(memory::Buffer::allocate(bytes, what));
  return rooms;
}

/// What they take from the pool.
inline std::int64_t rooms_bytes(int threads, std::int64_t bytes) { return threads * memory::pool_capacity(bytes); }

}  // namespace penstock::run
