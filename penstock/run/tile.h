// SPDX-License-Identifier: Apache-2.0
// The tile interpreter: runs a program over short stretches of its iteration space whose registers stay in L1.
//
// A stretch is [first, first + n) in C order of the iteration space. Each operand is borrowed where its elements
// already lie one after the other, and packed into a register otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "penstock/kernel/table.h"
#include "penstock/memory/arena.h"
#include "penstock/run/program.h"
#include "penstock/run/units.h"

namespace penstock::run {

/// Where the operands' bytes are during a pass: base[i] is byte 0 of operand i's layout.
using Bases = std::vector<const std::byte*>;

/// The layout with neighbouring dimensions joined where one stride walks both. Never without a dimension.
Layout coalesce(const Layout& in);

/// What all workers share: the program as units, its registers assigned and its layouts coalesced.
class Schedule {
 public:
  /// A tile is a multiple of `group` elements, and `least` of them where the caller's loops want long ones.
  explicit Schedule(const Program& program, std::int64_t group = 1, std::int64_t least = 0);

  const Program& program() const { return *program_; }
  /// Elements of a register.
  std::int64_t tile() const { return tile_; }
  std::int64_t bytes() const { return registers_ * slot_bytes_ + singles_ * kSingleBytes; }
  /// Bytes of a TileMachine's scratch.
  std::int64_t machine_bytes() const;

 private:
  friend class TileMachine;

  static constexpr std::int64_t kSingleBytes = 64;

  void assign_registers();
  std::int64_t offset_of(std::size_t value) const {
    return singular_[value] ? registers_ * slot_bytes_ + slots_[value] * kSingleBytes : slots_[value] * slot_bytes_;
  }

  const Program* program_;
  std::vector<Unit> units_;
  std::int64_t tile_ = 0;
  std::int64_t slot_bytes_ = 0;
  std::int64_t registers_ = 0;
  std::int64_t singles_ = 0;
  std::vector<Layout> walks_;   // per operand, coalesced
  std::vector<int> slots_;      // per value: its register, or its place among the singles
  std::vector<bool> singular_;  // per value: a constant of which all readers take one element
};

/// One worker's registers, in its thread's arena: machines are destroyed in the opposite order of their making. Between
/// construction and destruction run() neither allocates nor throws.
class TileMachine {
 public:
  TileMachine(const Schedule& schedule, const kernel::Table& table);
  ~TileMachine();
  TileMachine(const TileMachine&) = delete;
  TileMachine& operator=(const TileMachine&) = delete;

  /// `streams`: outputs go to the caller's memory with non-temporal stores, which Table::fence ends.
  void bind(const Bases& bases, bool streams = false);

  /// Elements that one run() may take: a tile, or many at once where nothing passes through a register. `direct`: every
  /// output is written straight to the caller's memory.
  std::int64_t step(bool direct) const;

  /// Whether nothing is computed and all outputs lie in memory element after element: run() takes any n then.
  bool only_borrows() const { return borrows_all_ && steps_.empty(); }

  /// Computes elements [first, first + n), n at most step(). Output k is written to to[k] when that is not null, and
  /// lies at output(k) afterwards in any case.
  void run(std::int64_t first, std::int64_t n, std::byte* const* to);
  const std::byte* output(int k) const {
    return where_[static_cast<std::size_t>(schedule_.program().outputs[static_cast<std::size_t>(k)])];
  }

 private:
  friend class Schedule;

  /// A unit as run() needs it: its loop and where that reads and writes, all looked up once.
  struct Step {
    const Unit* unit = nullptr;
    kernel::Elementwise loop = nullptr;       // null for a cast and for a generated loop
    kernel::Elementwise streaming = nullptr;  // where there is such a loop
    kernel::Cast cast = nullptr;
    bool last = true;  // no later unit reads an output
    int to = -1;       // the program's output that its only output is, if any
  };

  /// An operand that lies in memory element after element, so that each stretch of it is borrowed.
  struct Flat {
    const std::byte* start = nullptr;  // null when it does not
    std::int64_t size = 0;
    std::size_t value = 0;
  };

  void make_steps();
  bool can_stream(const Step& step) const { return step.last && (step.unit->loop != nullptr || step.streaming); }
  std::byte* register_of(int value) { return registers_ + schedule_.offset_of(static_cast<std::size_t>(value)); }
  int output_of(int value) const;
  void run_kernel(const Step& step, std::int64_t n, std::byte* const* to);
  void run_generated(const Step& step, std::int64_t n, std::byte* const* to);
  bool aligned(std::size_t operand) const;
  void borrow(std::size_t value, const std::byte* from, std::int64_t bytes);
  void fetch(std::size_t operand, std::int64_t first, std::int64_t n);
  void pack_rows(const Operand& operand, const Layout& walk, const std::byte* base, std::int64_t first, std::int64_t n,
                 std::byte* out);
  void pack_row(const Operand& operand, const std::byte* base, std::int64_t offset, std::int64_t stride, std::int64_t n,
                std::byte* out);

  const Schedule& schedule_;
  const kernel::Table& table_;
  memory::Arena::Scope scratch_;
  std::byte* registers_;
  std::pmr::vector<Step> steps_;
  std::pmr::vector<const std::byte*> bases_;
  std::pmr::vector<Flat> flat_;  // per operand
  bool borrows_all_ = false;     // every operand is flat or one element
  bool streams_ = false;
  bool ahead_ = false;                        // the next tile is fetched into the cache while this one is computed
  std::pmr::vector<const std::byte*> where_;  // per value: its elements in this tile
  std::int64_t borrowed_ = 0;
  std::int64_t packed_ = 0;
};

}  // namespace penstock::run
