// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/tile.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/machine.h"
#include "penstock/base/text.h"
#include "penstock/measure/counters.h"
#include "penstock/run/packed.h"

namespace penstock::run {
namespace {

/// Bytes of all operands that lie in memory or files.
std::int64_t traffic_of(const Program& program) {
  std::int64_t bytes = 0;
  for (const Operand& operand : program.operands) {
    const bool stored = operand.kind != Operand::Kind::kConstant && operand.kind != Operand::Kind::kIota;
    bytes += stored ? program.size() * size_of(operand.dtype) : 0;
  }
  return bytes;
}

/// Asks for [from, from + bytes) in L2. A later tile's bytes; past the end of an operand it does no harm.
void prefetch(const std::byte* from, std::int64_t bytes) {
  for (std::int64_t at = 0; at < bytes; at += 64) __builtin_prefetch(from + at, 0, 2);
}

/// Elements of a register, such that all registers leave most of L1 to the operands that stream through it.
std::int64_t choose_tile(std::int64_t registers, std::int64_t widest, std::int64_t least) {
  if (const auto text = env(Env::kDEBUG_TILE)) return std::max<std::int64_t>(1, parse_count(*text));
  const std::int64_t fitting = caches().l1d / 4 / (registers * widest);
  return std::max(std::clamp<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(fitting)), 128, 1024), least);
}

}  // namespace

Layout coalesce(const Layout& in) {
  Layout out{{}, {}, in.offset};
  for (std::size_t i = 0; i < in.shape.size(); ++i) {
    if (in.shape[i] == 1) continue;
    if (!out.shape.empty() && out.strides.back() == in.strides[i] * in.shape[i]) {
      out.shape.back() *= in.shape[i];
      out.strides.back() = in.strides[i];
    } else {
      out.shape.push_back(in.shape[i]);
      out.strides.push_back(in.strides[i]);
    }
  }
  if (out.shape.empty()) {
    out.shape.push_back(1);
    out.strides.push_back(0);
  }
  return out;
}

Schedule::Schedule(const Program& program, std::int64_t group, std::int64_t least)
    : program_(&program),
      units_(units_of(program)),
      slots_(program.values.size(), -1),
      singular_(program.values.size(), false) {
  for (const Operand& operand : program.operands)
    walks_.push_back(operand.kind == Operand::Kind::kConstant ? Layout{} : coalesce(operand.layout));
  assign_registers();
  const std::int64_t tile = choose_tile(std::max<std::int64_t>(registers_, 1), program.widest(), least);
  tile_ = std::max(tile / group, std::int64_t{1}) * group;
  // Staggered by a cache line, so that registers do not meet in the same cache sets.
  slot_bytes_ = (tile_ * program.widest() + 63) / 64 * 64 + 64;
}

void Schedule::assign_registers() {
  const Program& program = *program_;
  const std::size_t never = units_.size();
  std::vector<std::size_t> last_use(program.values.size(), 0);
  std::vector<bool> whole(program.values.size(), false);  // read as a run of elements
  for (std::size_t u = 0; u < units_.size(); ++u) {
    for (const int input : units_[u].inputs) {
      last_use[static_cast<std::size_t>(input)] = u;
      if (units_[u].loop == nullptr) whole[static_cast<std::size_t>(input)] = true;
    }
  }
  for (const int output : program.outputs) {
    last_use[static_cast<std::size_t>(output)] = never;
    whole[static_cast<std::size_t>(output)] = true;
  }
  for (const Operand& operand : program.operands) {
    const auto value = static_cast<std::size_t>(operand.value);
    const bool constant = operand.kind == Operand::Kind::kConstant;
    singular_[value] = constant && !whole[value];
    // Operands are fetched before the first unit; constants keep their register for the whole pass.
    slots_[value] = static_cast<int>(singular_[value] ? singles_++ : registers_++);
    if (constant) last_use[value] = never;
  }
  std::vector<int> idle;
  for (std::size_t u = 0; u < units_.size(); ++u) {
    for (const int output : units_[u].outputs) {
      if (idle.empty()) idle.push_back(static_cast<int>(registers_++));
      slots_[static_cast<std::size_t>(output)] = idle.back();
      idle.pop_back();
    }
    // A register is idle once its last reader has run; an output never shares one with this unit's inputs.
    for (const int input : units_[u].inputs) {
      const auto value = static_cast<std::size_t>(input);
      if (last_use[value] == u && std::find(idle.begin(), idle.end(), slots_[value]) == idle.end())
        idle.push_back(slots_[value]);
    }
  }
}

std::int64_t Schedule::machine_bytes() const {
  const std::size_t vectors = units_.size() * sizeof(TileMachine::Step) +
                              program_->operands.size() * (sizeof(TileMachine::Flat) + sizeof(std::byte*)) +
                              program_->values.size() * sizeof(std::byte*);
  return bytes() + static_cast<std::int64_t>(vectors) + 4 * memory::kAlignment;
}

TileMachine::TileMachine(const Schedule& schedule, const kernel::Table& table)
    : schedule_(schedule),
      table_(table),
      scratch_(schedule.machine_bytes()),
      registers_(static_cast<std::byte*>(
          memory::Arena::local().allocate(static_cast<std::size_t>(schedule.bytes()), memory::kAlignment))),
      steps_(&memory::Arena::local()),
      bases_(&memory::Arena::local()),
      flat_(&memory::Arena::local()),
      where_(schedule.program().values.size(), nullptr, &memory::Arena::local()) {
  const Program& program = schedule.program();
  steps_.reserve(schedule.units_.size());
  for (std::size_t v = 0; v < where_.size(); ++v) {
    if (schedule.slots_[v] >= 0) where_[v] = register_of(static_cast<int>(v));
  }
  for (const Operand& operand : program.operands) {
    if (operand.kind != Operand::Kind::kConstant) continue;
    const bool single = schedule.singular_[static_cast<std::size_t>(operand.value)];
    table.pack[log2_size(operand.dtype)](operand.start.bytes, 0, register_of(operand.value),
                                         single ? 1 : schedule.tile());
  }
  make_steps();
}

int TileMachine::output_of(int value) const {
  const std::vector<int>& outputs = schedule_.program().outputs;
  const auto found = std::find(outputs.begin(), outputs.end(), value);
  return found == outputs.end() ? -1 : static_cast<int>(found - outputs.begin());
}

void TileMachine::make_steps() {
  const std::vector<Unit>& units = schedule_.units_;
  for (std::size_t u = 0; u < units.size(); ++u) {
    Step step;
    step.unit = &units[u];
    step.last = std::none_of(units.begin() + static_cast<std::ptrdiff_t>(u), units.end(), [&](const Unit& later) {
      return std::find_first_of(later.inputs.begin(), later.inputs.end(), units[u].outputs.begin(),
                                units[u].outputs.end()) != later.inputs.end();
    });
    if (units[u].loop == nullptr) {
      const Instruction& each = schedule_.program().instructions[static_cast<std::size_t>(units[u].instructions[0])];
      step.to = output_of(each.output);
      if (each.cast) {
        step.cast = table_.cast[index_of(each.from)][index_of(each.to)];
      } else {
        step.loop = table_.elementwise[index_of(each.op)][index_of(each.from)];
        step.streaming = table_.streaming[index_of(each.op)][index_of(each.from)];
      }
    }
    steps_.push_back(step);
  }
}

TileMachine::~TileMachine() {
  measure::add(measure::Counter::k_bytes_borrowed, borrowed_);
  measure::add(measure::Counter::k_bytes_packed, packed_);
}

bool TileMachine::aligned(std::size_t index) const {
  const Layout& walk = schedule_.walks_[index];
  return is_aligned(reinterpret_cast<std::uintptr_t>(bases_[index]) + static_cast<std::uintptr_t>(walk.offset),
                    size_of(schedule_.program().operands[index].dtype));
}

void TileMachine::bind(const Bases& bases, bool streams) {
  bases_.assign(bases.begin(), bases.end());
  streams_ = streams;
  const std::vector<Operand>& operands = schedule_.program().operands;
  borrows_all_ = true;
  flat_.assign(operands.size(), {});
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool stored = operands[i].kind != Operand::Kind::kConstant && operands[i].kind != Operand::Kind::kIota;
    const Layout& walk = schedule_.walks_[i];
    const std::int64_t size = size_of(operands[i].dtype);
    const bool is_flat =
        stored && !operands[i].swapped && walk.shape.size() == 1 && walk.strides[0] == size && aligned(i);
    if (is_flat) flat_[i] = {bases[i] + walk.offset, size, static_cast<std::size_t>(operands[i].value)};
    borrows_all_ = borrows_all_ && (is_flat || schedule_.singular_[static_cast<std::size_t>(operands[i].value)]);
  }
  // A single loop reads its operands so fast that the machine's own prefetching is ahead already.
  ahead_ = steps_.size() > 1 && traffic_of(schedule_.program()) > caches().l2;
}

std::int64_t TileMachine::step(bool direct) const {
  constexpr std::int64_t kAtOnce = 16 << 10;
  const bool one = steps_.size() == 1 && direct && (!streams_ || can_stream(steps_[0]));
  const bool at_once = only_borrows() || (borrows_all_ && one);
  return at_once ? std::max(kAtOnce, schedule_.tile()) / schedule_.tile() * schedule_.tile() : schedule_.tile();
}

void TileMachine::run(std::int64_t first, std::int64_t n, std::byte* const* to) {
  const Program& program = schedule_.program();
  for (std::size_t i = 0; i < program.operands.size(); ++i) {
    if (flat_[i].start != nullptr)
      borrow(flat_[i].value, flat_[i].start + first * flat_[i].size, n * flat_[i].size);
    else if (program.operands[i].kind != Operand::Kind::kConstant)
      fetch(i, first, n);
  }
  for (const Step& step : steps_) {
    if (step.unit->loop != nullptr)
      run_generated(step, n, to);
    else
      run_kernel(step, n, to);
  }
  // An output that is an operand, that two outputs share or that no loop streams is not where the caller wants it yet.
  for (std::size_t k = 0; to != nullptr && k < program.outputs.size(); ++k) {
    const auto value = static_cast<std::size_t>(program.outputs[k]);
    if (to[k] == nullptr || where_[value] == to[k]) continue;
    const std::int64_t bytes = n * size_of(program.values[value]);
    if (streams_)
      table_.stream(where_[value], to[k], bytes);
    else
      std::memcpy(to[k], where_[value], static_cast<std::size_t>(bytes));
  }
}

void TileMachine::run_kernel(const Step& step, std::int64_t n, std::byte* const* to) {
  const void* inputs[kMaxArity];
  for (std::size_t k = 0; k < step.unit->inputs.size(); ++k)
    inputs[k] = where_[static_cast<std::size_t>(step.unit->inputs[k])];
  const int output = step.unit->outputs[0];
  const bool streams = streams_ && can_stream(step);
  const bool asked = step.to >= 0 && to != nullptr && to[step.to] != nullptr;
  std::byte* out = asked && (!streams_ || streams) ? to[step.to] : register_of(output);
  if (step.cast != nullptr)
    step.cast(inputs[0], out, n);
  else
    (asked && streams ? step.streaming : step.loop)(inputs, out, n);
  where_[static_cast<std::size_t>(output)] = out;
}

void TileMachine::run_generated(const Step& step, std::int64_t n, std::byte* const* to) {
  const Unit& unit = *step.unit;
  const void* in[kernel::kMostStreams];
  void* out[kernel::kMostStreams];
  for (std::size_t k = 0; k < unit.inputs.size(); ++k) in[k] = where_[static_cast<std::size_t>(unit.inputs[k])];
  bool streams = streams_ && step.last;
  for (std::size_t k = 0; k < unit.outputs.size(); ++k) {
    const int asked = to != nullptr ? output_of(unit.outputs[k]) : -1;
    out[k] = asked >= 0 ? to[asked] : nullptr;
    streams = streams && out[k] != nullptr;
  }
  for (std::size_t k = 0; k < unit.outputs.size(); ++k) {
    if (out[k] == nullptr || (streams_ && !streams)) out[k] = register_of(unit.outputs[k]);
    where_[static_cast<std::size_t>(unit.outputs[k])] = static_cast<const std::byte*>(out[k]);
  }
  unit.loop->run(in, out, n, streams);
}

void TileMachine::borrow(std::size_t value, const std::byte* from, std::int64_t bytes) {
  where_[value] = from;
  if (ahead_) prefetch(from + bytes, bytes);
  borrowed_ += bytes;
}

void TileMachine::fetch(std::size_t index, std::int64_t first, std::int64_t n) {
  const Operand& operand = schedule_.program().operands[index];
  const Layout& walk = schedule_.walks_[index];
  const std::int64_t size = size_of(operand.dtype);
  const auto value = static_cast<std::size_t>(operand.value);
  const std::byte* base = bases_[index];
  auto* slot = registers_ + schedule_.slots_[value] * schedule_.slot_bytes_;
  const bool stored = operand.kind != Operand::Kind::kIota;
  if (stored && walk.strides.back() == size && !operand.swapped && aligned(index)) {
    // Borrowed when the stretch lies within one innermost row.
    const std::int64_t row = walk.shape.back();
    std::int64_t inner = first;
    std::int64_t offset = walk.offset;
    if (walk.shape.size() > 1) {
      inner = first % row;
      std::int64_t rest = first / row;
      for (std::size_t d = walk.shape.size() - 1; d-- > 0; rest /= walk.shape[d])
        offset += rest % walk.shape[d] * walk.strides[d];
    }
    if (inner + n <= row) {
      borrow(value, base + offset + inner * size, n * size);
      return;
    }
  }
  pack_rows(operand, walk, base, first, n, slot);
  where_[value] = slot;
  packed_ += n * size;
}

void TileMachine::pack_rows(const Operand& operand, const Layout& walk, const std::byte* base, std::int64_t first,
                            std::int64_t n, std::byte* out) {
  const std::int64_t size = size_of(operand.dtype);
  const std::size_t rank = walk.shape.size();
  std::int64_t index[kMaxRank];
  std::int64_t offset = walk.offset;
  std::int64_t rest = first;
  for (std::size_t d = rank; d-- > 0;) {
    index[d] = rest % walk.shape[d];
    rest /= walk.shape[d];
    offset += index[d] * walk.strides[d];
  }
  const std::int64_t row = walk.shape[rank - 1];
  const std::int64_t stride = walk.strides[rank - 1];
  std::int64_t done = 0;
  // A short row repeated along the next dimension, such as one value a channel: pack it once, then copy the register
  // onto itself in growing pieces.
  const bool repeats = rank == 2 && walk.strides[0] == 0 && row * 2 <= n;
  while (done < n) {
    const std::int64_t length = std::min(row - index[rank - 1], n - done);
    pack_row(operand, base, offset, stride, length, out + done * size);
    done += length;
    if (repeats && done >= row) break;
    offset += length * stride;
    index[rank - 1] += length;
    for (std::size_t d = rank - 1; index[d] == walk.shape[d] && d > 0; --d) {
      offset += walk.strides[d - 1] - index[d] * walk.strides[d];
      index[d] = 0;
      ++index[d - 1];
    }
  }
  // What is there is whole periods from phase on; any multiple of the period may be copied behind it.
  for (std::int64_t whole = done / row * row; done < n;) {
    const std::int64_t length = std::min(whole, n - done);
    std::memcpy(out + done * size, out + (done - whole) * size, static_cast<std::size_t>(length * size));
    done += length;
    whole = done / row * row;
  }
}

void TileMachine::pack_row(const Operand& operand, const std::byte* base, std::int64_t offset, std::int64_t stride,
                           std::int64_t n, std::byte* out) {
  const std::size_t log2 = log2_size(operand.dtype);
  if (operand.kind == Operand::Kind::kIota) {
    table_.iota[index_of(operand.dtype)](operand.start.bytes, operand.delta.bytes, offset, stride, out, n);
  } else if (!operand.swapped) {
    table_.pack[log2](base + offset, stride, out, n);
  } else if (kind_of(operand.dtype) == Kind::kComplex) {
    table_.pack_swapped_pairs[operand.dtype == DType::k_complex128](base + offset, stride, out, n);
  } else {
    table_.pack_swapped[log2](base + offset, stride, out, n);
  }
}

}  // namespace penstock::run
