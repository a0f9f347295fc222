// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/arena.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/text.h"
#include "penstock/measure/counters.h"
#include "penstock/memory/pool.h"

namespace penstock::memory {
namespace {

/// Bytes of a block at least.
std::int64_t least_block() {
  static const std::int64_t least =
      env_value(Env::kARENA, [](const std::string& text) { return parse_bytes(text, 0); }).value_or(16 << 10);
  return std::max(least, kAlignment);
}

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

}  // namespace

Arena& Arena::local() {
  // On the heap: a library has little room for thread-local objects, which it shares with all that are loaded later.
  thread_local const std::unique_ptr<Arena> arena = std::make_unique<Arena>();
  return *arena;
}

std::int64_t Arena::capacity_for(std::int64_t bytes) { return pool_capacity(std::max(bytes, least_block())); }

Arena::Scope::Scope(std::int64_t expected) : arena_(local()), blocks_(arena_.count_), taken_(arena_.taken_) {
  const std::int64_t left = arena_.count_ == 0 ? 0 : arena_.blocks_[arena_.count_ - 1].size() - arena_.taken_;
  if (expected > left) arena_.grow(expected);
  ++arena_.scopes_;
}

Arena::Scope::~Scope() {
  --arena_.scopes_;
  while (arena_.count_ > blocks_) {
    Buffer& last = arena_.blocks_[--arena_.count_];
    arena_.total_ -= last.size();
    last = {};
  }
  arena_.taken_ = taken_;
}

void Arena::grow(std::int64_t bytes) {
  PENSTOCK_CHECK(count_ < kMostBlocks, "scratch of ", total_, " bytes");
  blocks_[count_] = Buffer::allocate(capacity_for(std::max(bytes, total_ / 2)), "scratch of a worker");
  total_ += blocks_[count_].size();
  taken_ = 0;
  measure::add(measure::Counter::k_arena_blocks, 1);
  ++count_;
}

void* Arena::do_allocate(std::size_t bytes, std::size_t alignment) {
  PENSTOCK_CHECK(scopes_ > 0, "scratch is taken outside every scope");
  PENSTOCK_CHECK(alignment <= static_cast<std::size_t>(kAlignment), "alignment of ", alignment);
  PENSTOCK_CHECK(bytes < static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max() / 2));
  const auto size = static_cast<std::int64_t>(bytes);
  std::int64_t at = round_up(taken_, static_cast<std::int64_t>(alignment));
  if (count_ == 0 || at + size > blocks_[count_ - 1].size()) {
    measure::add(measure::Counter::k_arena_growths, 1);
    grow(size);
    at = 0;
  }
  taken_ = at + size;
  return blocks_[count_ - 1].data() + at;
}

}  // namespace penstock::memory
