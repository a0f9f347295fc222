// SPDX-License-Identifier: Apache-2.0
// The tile interpreter: runs a program over short stretches of its iteration space whose registers stay in L1.
//
// A stretch is [first, first + n) in C order of the iteration space. Each operand is borrowed where its elements
// already lie one after the other, and packed into a register otherwise.
#pragma once

#include <cstdint>
#include <vector>

#include "penstock/kernel/table.h"
#include "penstock/memory/buffer.h"
#include "penstock/run/program.h"

namespace penstock::run {

/// Where the operands' bytes are during a pass: base[i] is byte 0 of operand i's layout.
using Bases = std::vector<const std::byte*>;

/// What all workers share: the program with its registers assigned and its layouts coalesced.
class Schedule {
 public:
  /// `tile`: elements of a register at most. `reserve_outputs`: outputs get registers too (else they are written
  /// straight to the caller's memory).
  Schedule(const Program& program, std::int64_t tile);

  const Program& program() const { return *program_; }
  std::int64_t tile() const { return tile_; }
  std::int64_t bytes() const { return registers_ * slot_bytes_; }

 private:
  friend class TileMachine;

  const Program* program_;
  std::int64_t tile_;
  std::int64_t slot_bytes_;
  std::int64_t registers_ = 0;
  std::vector<Layout> walks_;  // per operand, coalesced
  std::vector<int> slots_;     // per value: its register
};

/// Elements of a register tile for values of at most `widest` bytes: about 2 KiB a register, all live ones within L1.
std::int64_t default_tile(std::int64_t widest);

/// One worker's registers. Between construction and destruction run() neither allocates nor throws.
class TileMachine {
 public:
  TileMachine(const Schedule& schedule, const kernel::Table& table);
  ~TileMachine();
  TileMachine(const TileMachine&) = delete;
  TileMachine& operator=(const TileMachine&) = delete;

  void bind(const Bases& bases);

  /// Elements that one run() may take: a tile, or many at once where nothing passes through a register. `direct`: every
  /// output is written straight to the caller's memory.
  std::int64_t step(bool direct) const;

  /// Computes elements [first, first + n), n at most step(). Output k is written to to[k] when that is not null, and
  /// lies at output(k) afterwards in any case.
  void run(std::int64_t first, std::int64_t n, std::byte* const* to);
  const std::byte* output(int k) const {
    return where_[static_cast<std::size_t>(schedule_.program().outputs[static_cast<std::size_t>(k)])];
  }

 private:
  bool aligned(std::size_t operand) const;
  void fetch(std::size_t operand, std::int64_t first, std::int64_t n);
  void pack_rows(const Operand& operand, const Layout& walk, const std::byte* base, std::int64_t first, std::int64_t n,
                 std::byte* out);
  void pack_row(const Operand& operand, const std::byte* base, std::int64_t offset, std::int64_t stride, std::int64_t n,
                std::byte* out);

  const Schedule& schedule_;
  const kernel::Table& table_;
  memory::Buffer registers_;
  std::vector<const std::byte*> bases_;
  bool borrows_all_ = false;             // every operand is read where it lies, whatever the stretch
  bool ahead_ = false;                   // the next tile is fetched into the cache while this one is computed
  std::vector<const std::byte*> where_;  // per value: its elements in this tile
  std::int64_t borrowed_ = 0;
  std::int64_t packed_ = 0;
};

}  // namespace penstock::run
