// SPDX-License-Identifier: Apache-2.0
// Generated loops for AVX2 and AVX-512: loads, the operations of the assembler, stores. A bool is a lane of ones or
// zeros in a register and a byte in memory.

#include "penstock/kernel/generate.h"

#if defined(__x86_64__)

#include <pthread.h>

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/kernel/arrange.h"
#include "penstock/kernel/generate_x86_assembler.h"
#include "penstock/kernel/homes.h"
#include "penstock/simd/target.h"

namespace penstock::kernel {
namespace {

using namespace x86;
using Xbyak::Reg64;

constexpr std::size_t kMostSteps = 192;  // bounds the code
constexpr std::size_t kMostPointers = 11;
constexpr std::size_t kLong = 16;  // steps an operand from which a loop is too slow to keep the prefetchers going
constexpr int kAhead = 2048;       // bytes
constexpr int kLine = 64;          // bytes of a cache line and of the widest vector

/// AVX-512 on the targets that have it, else AVX2; nothing on the others.
std::optional<bool> wide_on(simd::Target target) {
  if (target == simd::Target::kAvx3 || target == simd::Target::kAvx3Dl) return true;
  if (target == simd::Target::kAvx2) return false;
  return std::nullopt;
}

DType result_of(const Recipe::Step& step) { return penstock::result_of(step.op, step.dtype); }

/// Writes the loop around the operations: loads, steps, stores.
class LoopWriter final : public Assembler, public Generated {
 public:
  LoopWriter(const Recipe& recipe, Homes homes, bool wide, bool eight)
      : Assembler(wide, eight), recipe_(recipe), homes_(std::move(homes)) {
    inputs_ = recipe.inputs;
    uses_.assign(recipe.inputs.size() + recipe.steps.size(), 0);
    for (const Recipe::Step& step : recipe.steps) {
      for (const int input : step.inputs) {
        if (input >= 0) ++uses_[static_cast<std::size_t>(input)];
      }
    }
    for (const int output : recipe.outputs) out_bytes_.push_back(size_of(result_of(step_of(output))));
    Generated::lanes_ = Assembler::lanes_;
    Label entries[2];
    for (const bool streams : {false, true}) {
      align(64);
      L(entries[streams]);
      write_loop(streams);
    }
    write_literals();
    ready(PROTECT_RE);
    ordinary_ = std::bit_cast<Loop>(entries[false].getAddress());
    streaming_ = std::bit_cast<Loop>(entries[true].getAddress());
  }

 private:
  const Recipe::Step& step_of(int value) const {
    return recipe_.steps[static_cast<std::size_t>(value) - recipe_.inputs.size()];
  }
  Xmm home(int value) const { return vector(homes_.registers[static_cast<std::size_t>(value)]); }
  Xbyak::Address element(std::size_t pointer, std::int64_t size, int ahead = 0) const {
    return ptr[pointers_[pointer] + rax * static_cast<int>(size) + ahead];
  }

  void write_loop(bool streams) {
    const auto saved = [this](std::size_t i) { return i >= 5; };  // by whom the function is called
    for (std::size_t i = 0; i < kMostPointers; ++i) {
      if (saved(i)) push(pointers_[i]);
    }
    reserve_stack();
    std::size_t used = 0;
    pointer_of_.assign(recipe_.inputs.size() + recipe_.outputs.size(), 0);
    for (std::size_t k = 0; k < recipe_.inputs.size(); ++k) {
      // By way of registers that pointers take afterwards.
      if (recipe_.inputs[k].single && homes_.registers[k] != Homes::kOnStack) write_single(k);
    }
    for (const std::size_t k : homes_.on_stack) {
      mov(rax, ptr[rdi + static_cast<int>(8 * k)]);
      spread(temporary(0), ptr[rax]);
      vmovaps(on_stack(k), temporary(0));
    }
    for (std::size_t k = 0; k < recipe_.inputs.size(); ++k) {
      if (recipe_.inputs[k].single) continue;
      mov(pointers_[used], ptr[rdi + static_cast<int>(8 * k)]);
      pointer_of_[k] = used++;
    }
    for (std::size_t k = 0; k < recipe_.outputs.size(); ++k) {
      mov(pointers_[used], ptr[rsi + static_cast<int>(8 * k)]);
      pointer_of_[recipe_.inputs.size() + k] = used++;
    }
    xor_(eax, eax);
    Label top;
    align(32);
    L(top);
    write_prefetches();
    write_body(streams);
    add(rax, Assembler::lanes_);
    dec(rdx);
    jnz(top, T_NEAR);
    vzeroupper();
    if (!homes_.on_stack.empty()) mov(rsp, ptr[rsp + slot(homes_.on_stack.size())]);
    for (std::size_t i = kMostPointers; i-- > 0;) {
      if (saved(i)) pop(pointers_[i]);
    }
    ret();
  }

  /// Room for a vector of each single element on the stack, where no load crosses a cache line, and behind them for the
  /// stack pointer as it was.
  void reserve_stack() {
    if (homes_.on_stack.empty()) return;
    mov(rax, rsp);
    sub(rsp, slot(homes_.on_stack.size() + 1));
    and_(rsp, -kLine);
    mov(ptr[rsp + slot(homes_.on_stack.size())], rax);
  }
  int slot(std::size_t i) const { return static_cast<int>(i) * (wide_ ? kLine : kLine / 2); }
  Xbyak::Address on_stack(std::size_t input) const {
    const auto found = std::find(homes_.on_stack.begin(), homes_.on_stack.end(), input);
    return ptr[rsp + slot(static_cast<std::size_t>(found - homes_.on_stack.begin()))];
  }

  using Assembler::spread;
  /// to = a vector of copies of the element in memory.
  void spread(const Xmm& to, const Xbyak::Address& from) {
    if (eight_)
      vpbroadcastq(to, from);
    else
      vpbroadcastd(to, from);
  }

  void write_single(std::size_t k) {
    const Xmm to = home(static_cast<int>(k));
    mov(rax, ptr[rdi + static_cast<int>(8 * k)]);
    if (recipe_.inputs[k].dtype == DType::k_bool) {
      xor_(ecx, ecx);
      cmp(byte[rax], 0);
      setne(cl);
      neg(rcx);
      vmovq(Xmm(to.getIdx()), rcx);
      vpbroadcastq(to, Xmm(to.getIdx()));
    } else {
      spread(to, ptr[rax]);
    }
  }

  /// Operands' lines a few vectors ahead; past their end it does no harm.
  void write_prefetches() {
    const auto arrays = static_cast<std::size_t>(
        std::count_if(recipe_.inputs.begin(), recipe_.inputs.end(), [](const auto& each) { return !each.single; }));
    if (recipe_.steps.size() < kLong * arrays) return;
    for (std::size_t k = 0; k < recipe_.inputs.size(); ++k) {
      const Recipe::Input& input = recipe_.inputs[k];
      if (!input.single) prefetcht0(element(pointer_of_[k], size_of(input.dtype), kAhead));
    }
  }

  void write_body(bool streams) {
    loaded_.assign(recipe_.inputs.size(), false);
    for (std::size_t i = 0; i < recipe_.steps.size(); ++i) {
      const Recipe::Step& step = recipe_.steps[i];
      const int output = static_cast<int>(recipe_.inputs.size() + i);
      write_step(step, home(output));
      for (std::size_t k = 0; k < recipe_.outputs.size(); ++k) {
        if (recipe_.outputs[k] == output) store(k, home(output), result_of(step), streams);
      }
    }
  }

  void write_step(const Recipe::Step& step, const Xmm& to) {
    if (reads_memory(step.op, step.dtype)) {
      const bool swapped = commutes(step.op) && !in_memory(step.inputs[1]);
      if (const auto from = in_memory(step.inputs[swapped ? 0 : 1])) {
        write_reading(step.op, to, in_register(step.inputs[swapped ? 1 : 0], 0), *from);
        return;
      }
    }
    Xmm operands[kMaxArity] = {vector(0), vector(0), vector(0)};
    for (int k = 0; k < kMaxArity; ++k) {
      if (step.inputs[k] >= 0) operands[k] = in_register(step.inputs[k], k);
    }
    const bool known = write(step.op, step.dtype, to, operands[0], operands[1], operands[2]);
    PENSTOCK_CHECK(known, row(step.op).name);
  }

  /// Where a step reads an operand for which it needs no register: a single element on the stack, or elements that no
  /// other step reads.
  std::optional<Xbyak::Address> in_memory(int value) const {
    const auto index = static_cast<std::size_t>(value);
    if (homes_.registers[index] == Homes::kOnStack) return on_stack(index);
    if (index >= recipe_.inputs.size()) return std::nullopt;
    const Recipe::Input& input = recipe_.inputs[index];
    if (input.single || input.dtype == DType::k_bool || uses_[index] != 1) return std::nullopt;
    return element(pointer_of_[index], size_of(input.dtype));
  }

  /// The register of operand k of a step, loaded where it is not there yet.
  Xmm in_register(int value, int k) {
    const auto index = static_cast<std::size_t>(value);
    if (homes_.registers[index] == Homes::kOnStack) {
      const Xmm to = vector(homes_.fetched_into + k);
      vmovaps(to, on_stack(index));
      return to;
    }
    if (index < loaded_.size() && !recipe_.inputs[index].single && !loaded_[index]) {
      load(index);
      loaded_[index] = true;
    }
    return home(value);
  }

  void load(std::size_t k) {
    const DType dtype = recipe_.inputs[k].dtype;
    const Xmm to = home(static_cast<int>(k));
    const Xbyak::Address from = element(pointer_of_[k], size_of(dtype));
    if (dtype != DType::k_bool) {
      vmovups(to, from);
      return;
    }
    if (eight_)
      vpmovzxbq(to, from);
    else
      vpmovzxbd(to, from);
    if (wide_) {
      PENSTOCK_INTEGERS(vptestm, k1, to, to);
      spread(to);
    } else {
      vxorps(temporary(0), temporary(0), temporary(0));
      PENSTOCK_INTEGERS(vpcmpgt, to, to, temporary(0));
    }
  }

  void store(std::size_t k, const Xmm& from, DType dtype, bool streams) {
    const Xbyak::Address to = element(pointer_of_[recipe_.inputs.size() + k], size_of(dtype));
    if (dtype == DType::k_bool)
      store_bytes(to, from);
    else if (streams)
      vmovntps(to, from);
    else
      vmovups(to, from);
  }

  void store_bytes(const Xbyak::Address& to, const Xmm& from) {
    if (wide_) {
      vandps(temporary(0), from, literal(1));
      eight_ ? vpmovqb(to, temporary(0)) : vpmovdb(to, temporary(0));
      return;
    }
    const Xmm low(temporary(0).getIdx());
    const Xmm high(temporary(1).getIdx());
    vextracti128(high, Xbyak::Ymm(from.getIdx()), 1);
    vpackssdw(low, Xmm(from.getIdx()), high);  // lanes of ones stay ones
    if (eight_) vpackssdw(low, low, low);
    vpacksswb(low, low, low);
    vpand(low, low, literal(0x0101010101010101));
    if (eight_)
      vmovd(to, low);
    else
      vmovq(to, low);
  }

  const Recipe recipe_;
  const Homes homes_;
  std::vector<int> uses_;                // per value: operands of steps that it is
  std::vector<bool> loaded_;             // per input
  std::vector<std::size_t> pointer_of_;  // inputs, then outputs
  const std::array<Reg64, kMostPointers> pointers_ = {rcx, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15};
};

/// Bytes of a lane of the recipe: of its first value that is no bool.
std::int64_t lane_of(const Recipe& recipe) {
  for (const Recipe::Step& step : recipe.steps) {
    if (step.dtype != DType::k_bool) return lane_bytes(step.dtype);
  }
  return 4;
}

using Known = std::array<std::array<bool, kDTypeCount>, kOpCount>;

/// Which operations the assembler knows, asked once.
Known known_of(bool wide) {
  const auto vector = [wide](int i) { return Xmm(wide ? Operand::ZMM : Operand::YMM, i); };
  Known known{};
  Assembler trials[] = {Assembler(wide, false), Assembler(wide, true)};
  for (int op = 0; op < kOpCount; ++op) {
    for (int t = 0; t < kDTypeCount; ++t) {
      const DType dtype = static_cast<DType>(t);
      const bool held = dtype == DType::k_bool || lane_bytes(dtype) != 0;
      if (!held || !holds(row(static_cast<Op>(op)).domain, dtype)) continue;
      known[static_cast<std::size_t>(op)][static_cast<std::size_t>(t)] =
          trials[lane_bytes(dtype) == 8].write(static_cast<Op>(op), dtype, vector(0), vector(1), vector(2), vector(3));
    }
  }
  return known;
}

const Known& known(bool wide) {
  static const Known known_wide = known_of(true);
  static const Known known_narrow = known_of(false);
  return wide ? known_wide : known_narrow;
}

bool jit_enabled() {
  static const bool enabled = env_value(Env::kJIT, [](const std::string& text) {
                                if (text != "on" && text != "off")
                                  throw ArgumentError(cat("'", text, "' is unknown; use on or off"));
                                return text == "on";
                              }).value_or(true);
  return enabled;
}

/// The recipe and the instruction set as bytes.
std::string key_of(const Recipe& recipe, bool wide) {
  std::string key(1, wide ? 'w' : 'n');
  const auto add = [&key](int value) {
    key += static_cast<char>(value & 0xff);
    key += static_cast<char>(value >> 8);
  };
  for (const auto& input : recipe.inputs) {
    key += static_cast<char>(input.dtype);
    key += input.single ? 's' : 'm';
  }
  key += ';';
  for (const auto& step : recipe.steps) {
    key += static_cast<char>(step.op);
    key += static_cast<char>(step.dtype);
    for (const int input : step.inputs) add(input);
  }
  key += ';';
  for (const int output : recipe.outputs) add(output);
  return key;
}

/// Loops made so far. A bounded number is kept; evaluations hold on to the ones they run.
class Cache {
 public:
  static Cache& instance() {
    static Cache* cache = [] {
      auto* made = new Cache;
      // A fork in the middle of another thread's look must not leave the child with a locked cache.
      pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                     [] { instance().mutex_.unlock(); });
      return made;
    }();
    return *cache;
  }

  /// The loop of a key, made where it is not there yet; two threads may make the same one.
  template <class Make>
  std::shared_ptr<const Generated> find(const std::string& key, const Make& make) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = made_.find(key);
      if (found != made_.end()) return found->second;
    }
    std::shared_ptr<const Generated> made = make();
    const std::lock_guard lock(mutex_);
    if (made_.size() >= kMost) made_.clear();
    return made_.try_emplace(key, std::move(made)).first->second;
  }

 private:
  static constexpr std::size_t kMost = 256;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Generated>> made_;
};

}  // namespace

bool is_generated(Op op, DType dtype) {
  const std::optional<bool> wide = wide_on(simd::target());
  if (!wide || !jit_enabled()) return false;
  return known(*wide)[static_cast<std::size_t>(index_of(op))][static_cast<std::size_t>(index_of(dtype))];
}

bool fits_registers(const Recipe& recipe) {
  const std::optional<bool> wide = wide_on(simd::target());
  if (!wide || recipe.steps.size() > kMostSteps) return false;
  const auto singles = static_cast<std::size_t>(
      std::count_if(recipe.inputs.begin(), recipe.inputs.end(), [](const auto& input) { return input.single; }));
  if (recipe.inputs.size() + recipe.outputs.size() > kMostStreams ||
      recipe.inputs.size() - singles + recipe.outputs.size() > kMostPointers)
    return false;
  return homes_of(recipe, registers_of(*wide)).has_value();
}

std::shared_ptr<const Generated> generate(const Recipe& recipe) {
  const std::optional<bool> wide = wide_on(simd::target());
  if (!wide) return nullptr;  // another target was chosen since the recipe was read
  return Cache::instance().find(key_of(recipe, *wide), [&]() -> std::shared_ptr<const Generated> {
    const auto homes = homes_of(recipe, registers_of(*wide));
    if (!homes) return nullptr;
    // Values of chains that take turns need more registers: not at the price of single elements.
    const Recipe turns = arranged(recipe);
    const auto homes_of_turns = homes_of(turns, registers_of(*wide));
    const bool room = homes_of_turns && homes_of_turns->on_stack.size() <= homes->on_stack.size();
    try {
      return std::make_shared<LoopWriter>(room ? turns : recipe, room ? *homes_of_turns : *homes, *wide,
                                          lane_of(recipe) == 8);
    } catch (const Xbyak::Error&) {
      return nullptr;  // memory that may not be made executable: the table's kernels do the work
    }
  });
}

}  // namespace penstock::kernel

#else

namespace penstock::kernel {

bool is_generated(Op, DType) { return false; }
bool fits_registers(const Recipe&) { return false; }
std::shared_ptr<const Generated> generate(const Recipe&) { return nullptr; }

}  // namespace penstock::kernel

#endif
