// SPDX-License-Identifier: Apache-2.0
// Scratch of one thread: memory is taken by moving a pointer and given back all at once, when the scope that took it
// ends. Kernels' registers and reductions' states live here, so that workers take nothing from the heap.
//
// Blocks come from the pool and count in the budget while a scope is open. After the last one they are the pool's
// again: the same blocks next time, or whoever's needs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>

#include "penstock/memory/buffer.h"

namespace penstock::memory {

/// A resource for std::pmr containers; deallocation does nothing.
class Arena final : public std::pmr::memory_resource {
 public:
  /// This thread's.
  static Arena& local();

  /// What is allocated while it lives is given back when it ends. Scopes nest, last in first out, on one thread.
  class Scope {
   public:
    /// `expected`: bytes that will be taken in it, which find room in one block.
    explicit Scope(std::int64_t expected = 0);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    int blocks_;
    std::int64_t taken_;
  };

  /// Bytes that a scope expecting `bytes` takes from the pool at most: at least PENSTOCK_ARENA.
  static std::int64_t capacity_for(std::int64_t bytes);

 private:
  /// `bytes` at a multiple of `alignment`, at most 64. Throws BudgetError, or InternalError outside every scope.
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }
  void grow(std::int64_t bytes);

  static constexpr int kMostBlocks = 64;  // each is half as large as all before it together, at least

  Buffer blocks_[kMostBlocks];
  int count_ = 0;
  int scopes_ = 0;
  std::int64_t taken_ = 0;  // bytes of the last block
  std::int64_t total_ = 0;  // of all blocks
};

}  // namespace penstock::memory
