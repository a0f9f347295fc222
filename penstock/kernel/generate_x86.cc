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
#include "penstock/kernel/generate_x86_assembler.h"
#include "penstock/kernel/homes.h"
#include "penstock/simd/target.h"

namespace penstock::kernel {
namespace {

using namespace x86;
using Xbyak::Reg64;

constexpr std::size_t kMostSteps = 192;  // bounds the code
constexpr std::size_t kMostPointers = 11;

/// AVX-512 on the targets that have it, else AVX2; nothing on the others.
std::optional<bool> wide_on(simd::Target target) {
  if (target == simd::Target::kAvx3 || target == simd::Target::kAvx3Dl) return true;
  if (target == simd::Target::kAvx2) return false;
  return std::nullopt;
}

DType result_of(const Recipe::Step& step) { return row(step.op).result == Result::kBool ? DType::k_bool : step.dtype; }

/// Writes the loop around the operations: loads, steps, stores.
class LoopWriter final : public Assembler, public Generated {
 public:
  LoopWriter(const Recipe& recipe, Homes homes, bool wide, bool eight)
      : Assembler(wide, eight), recipe_(recipe), homes_(std::move(homes)) {
    inputs_ = recipe.inputs;
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
  Xbyak::Address element(std::size_t pointer, std::int64_t size) const {
    return ptr[pointers_[pointer] + rax * static_cast<int>(size)];
  }

  void write_loop(bool streams) {
    const auto saved = [this](std::size_t i) { return i >= 5; };  // by whom the function is called
    for (std::size_t i = 0; i < kMostPointers; ++i) {
      if (saved(i)) push(pointers_[i]);
    }
    const auto stack = static_cast<std::uint32_t>(8 * homes_.on_stack.size());
    if (stack > 0) sub(rsp, stack);
    std::size_t used = 0;
    pointer_of_.assign(recipe_.inputs.size() + recipe_.outputs.size(), 0);
    for (std::size_t k = 0; k < recipe_.inputs.size(); ++k) {
      // By way of registers that pointers take afterwards.
      if (recipe_.inputs[k].single && homes_.registers[k] != Homes::kOnStack) write_single(k);
    }
    const Xbyak::Reg value = eight_ ? Xbyak::Reg(rcx) : Xbyak::Reg(ecx);
    for (std::size_t i = 0; i < homes_.on_stack.size(); ++i) {
      mov(rax, ptr[rdi + static_cast<int>(8 * homes_.on_stack[i])]);
      mov(value, ptr[rax]);
      mov(ptr[rsp + static_cast<int>(8 * i)], value);
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
    write_body(streams);
    add(rax, Assembler::lanes_);
    dec(rdx);
    jnz(top, T_NEAR);
    vzeroupper();
    if (stack > 0) add(rsp, stack);
    for (std::size_t i = kMostPointers; i-- > 0;) {
      if (saved(i)) pop(pointers_[i]);
    }
    ret();
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
    } else if (eight_) {
      vpbroadcastq(to, ptr[rax]);
    } else {
      vpbroadcastd(to, ptr[rax]);
    }
  }

  void write_body(bool streams) {
    std::vector<bool> loaded(recipe_.inputs.size(), false);
    for (std::size_t i = 0; i < recipe_.steps.size(); ++i) {
      const Recipe::Step& step = recipe_.steps[i];
      Xmm operands[kMaxArity] = {vector(0), vector(0), vector(0)};
      for (int k = 0; k < kMaxArity; ++k) {
        const int input = step.inputs[k];
        if (input < 0) continue;
        const auto index = static_cast<std::size_t>(input);
        if (index < loaded.size() && !recipe_.inputs[index].single && !loaded[index]) {
          load(index);
          loaded[index] = true;
        }
        operands[k] = homes_.registers[index] == Homes::kOnStack ? fetch(index, k) : home(input);
      }
      const int output = static_cast<int>(recipe_.inputs.size() + i);
      const bool known = write(step.op, step.dtype, home(output), operands[0], operands[1], operands[2]);
      PENSTOCK_CHECK(known, row(step.op).name);
      for (std::size_t k = 0; k < recipe_.outputs.size(); ++k) {
        if (recipe_.outputs[k] == output) store(k, home(output), result_of(step), streams);
      }
    }
  }

  /// A single element that has no register of its own, for operand k of a step.
  Xmm fetch(std::size_t input, int k) {
    const Xmm to = vector(homes_.fetched_into + k);
    const auto place = std::find(homes_.on_stack.begin(), homes_.on_stack.end(), input) - homes_.on_stack.begin();
    if (eight_)
      vpbroadcastq(to, ptr[rsp + static_cast<int>(8 * place)]);
    else
      vpbroadcastd(to, ptr[rsp + static_cast<int>(8 * place)]);
    return to;
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
      if (!held || !holds(row(static_cast<Op>(op)).domain, kind_of(dtype))) continue;
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
    std::optional<Homes> homes = homes_of(recipe, registers_of(*wide));
    if (!homes) return nullptr;
    try {
      return std::make_shared<LoopWriter>(recipe, std::move(*homes), *wide, lane_of(recipe) == 8);
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
