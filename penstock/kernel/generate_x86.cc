// SPDX-License-Identifier: Apache-2.0
// Generated loops for AVX2 and AVX-512.
//
// A bool is a lane of ones or zeros in a register and a byte in memory. No sequence contracts a multiplication and an
// addition, and each gives the bits of its functor (kernel/functors-inl.h).

#include "penstock/kernel/generate.h"

#if defined(__x86_64__)

#include <xbyak/xbyak.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/simd/target.h"

// One instruction for both lane widths.
#define PENSTOCK_FLOATS(name, ...) (eight_ ? name##pd(__VA_ARGS__) : name##ps(__VA_ARGS__))
#define PENSTOCK_INTEGERS(name, ...) (eight_ ? name##q(__VA_ARGS__) : name##d(__VA_ARGS__))

namespace penstock::kernel {
namespace {

using Xbyak::Label;
using Xbyak::Operand;
using Xbyak::Reg64;
using Xbyak::Xmm;

constexpr std::size_t kMostSteps = 192;  // bounds the code
constexpr int kTemporaries = 3;          // vector registers that a single operation may use
constexpr std::size_t kMostPointers = 11;

/// AVX-512 on the targets that have it, else AVX2; nothing on the others.
std::optional<bool> wide_on(simd::Target target) {
  if (target == simd::Target::kAvx3 || target == simd::Target::kAvx3Dl) return true;
  if (target == simd::Target::kAvx2) return false;
  return std::nullopt;
}

int registers_of(bool wide) { return (wide ? 32 : 16) - kTemporaries; }

/// Where the values of a recipe are while its loop runs.
struct Homes {
  static constexpr int kOnStack = -2;
  std::vector<int> registers;         // per value: from its load or step to its last use; or kOnStack
  std::vector<std::size_t> on_stack;  // inputs of single elements that are fetched anew for each step
  int fetched_into = 0;               // the first of the registers for those, one an operand
};

/// Gives each value a register, and the first `most` single elements one for the whole loop. Nothing where there are
/// too few.
std::optional<Homes> allocate(const Recipe& recipe, int registers, int most) {
  const int inputs = static_cast<int>(recipe.inputs.size());
  Homes homes;
  std::vector<int> last_use(recipe.inputs.size() + recipe.steps.size(), -1);
  for (std::size_t i = 0; i < recipe.steps.size(); ++i) {
    for (const int input : recipe.steps[i].inputs) {
      if (input >= 0) last_use[static_cast<std::size_t>(input)] = static_cast<int>(i);
    }
  }
  std::vector<int>& home = homes.registers;
  home.assign(last_use.size(), -1);
  int pinned = 0;
  for (std::size_t k = 0; k < recipe.inputs.size(); ++k) {
    if (!recipe.inputs[k].single || recipe.inputs[k].dtype == DType::k_bool || pinned++ < most) continue;
    home[k] = Homes::kOnStack;
    homes.on_stack.push_back(k);
  }
  homes.fetched_into = registers - (homes.on_stack.empty() ? 0 : kMaxArity);
  std::vector<int> idle;
  for (int r = homes.fetched_into; r-- > 0;) idle.push_back(r);
  const auto take = [&](int value) {
    if (idle.empty()) return false;
    home[static_cast<std::size_t>(value)] = idle.back();
    idle.pop_back();
    return true;
  };
  const auto is_single = [&](int value) {
    return value < inputs && recipe.inputs[static_cast<std::size_t>(value)].single;
  };
  for (int value = 0; value < inputs; ++value) {
    if (is_single(value) && home[static_cast<std::size_t>(value)] == -1 && !take(value)) return std::nullopt;
  }
  for (std::size_t i = 0; i < recipe.steps.size(); ++i) {
    const auto& used = recipe.steps[i].inputs;
    for (const int input : used) {
      if (input >= 0 && home[static_cast<std::size_t>(input)] == -1 && !take(input)) return std::nullopt;
    }
    for (int k = 0; k < kMaxArity; ++k) {
      const int input = used[k];
      if (input < 0 || is_single(input) || last_use[static_cast<std::size_t>(input)] != static_cast<int>(i)) continue;
      if (std::find(used, used + k, input) == used + k) idle.push_back(home[static_cast<std::size_t>(input)]);
    }
    const int output = inputs + static_cast<int>(i);
    if (!take(output)) return std::nullopt;
    if (last_use[static_cast<std::size_t>(output)] < 0) idle.push_back(home[static_cast<std::size_t>(output)]);
  }
  return homes;
}

/// The same with as many single elements in registers as leave enough for the rest.
std::optional<Homes> allocate(const Recipe& recipe, bool wide) {
  const int registers = registers_of(wide);
  for (const int most : {registers, registers / 3, 0}) {
    if (std::optional<Homes> homes = allocate(recipe, registers, most)) return homes;
  }
  return std::nullopt;
}

enum class Order { kLess, kLessEqual, kGreater, kGreaterEqual, kEqual, kNotEqual };

/// Writes the instructions of single operations.
class Assembler : public Xbyak::CodeGenerator {
 public:
  Assembler(bool wide, bool eight)
      : Xbyak::CodeGenerator(4096, Xbyak::AutoGrow),
        wide_(wide),
        eight_(eight),
        lanes_((wide ? 64 : 32) / (eight ? 8 : 4)) {}

  /// d = op(a, b, c) for elements of `dtype`; d may be one of the operands. False where there is no such sequence.
  bool write(Op op, DType dtype, const Xmm& d, const Xmm& a, const Xmm& b, const Xmm& c) {
    if (dtype == DType::k_bool) return write_mask(op, d, a, b, c) || write_bits(op, d, a, b, c);
    if (write_bits(op, d, a, b, c)) return true;
    if (kind_of(dtype) == Kind::kFloat)
      return write_float(op, d, a, b) || write_rounding(op, d, a) || write_class(op, d, a) ||
             write_clip(op, d, a, b, c) || write_sign(op, d, a, b);
    return write_integer(op, kind_of(dtype) == Kind::kInt, d, a, b);
  }

 protected:
  Xmm vector(int i) const { return Xmm(wide_ ? Operand::ZMM : Operand::YMM, i); }
  Xmm temporary(int i) const { return vector(registers_of(wide_) + i); }

  /// A vector of copies of `bits`, which has the width of a lane.
  Xbyak::Address literal(std::uint64_t bits) {
    if (!eight_) bits = (bits & 0xffffffffu) | bits << 32;
    return ptr[rip + literals_[bits]];
  }
  void write_literals() {
    align(64);
    for (auto& [bits, label] : literals_) {
      L(label);
      for (int i = 0; i < 8; ++i) dq(bits);
    }
  }

  /// d = ones where the mask k1 is set.
  void spread(const Xmm& d) { PENSTOCK_INTEGERS(vpmovm2, d, k1); }

  bool wide_;   // AVX-512
  bool eight_;  // bytes of a lane, else four
  int lanes_;

 private:
  std::uint64_t sign_bit() const { return eight_ ? std::uint64_t{1} << 63 : std::uint64_t{1} << 31; }
  std::uint64_t float_bits(double value) const {
    return eight_ ? std::bit_cast<std::uint64_t>(value) : std::bit_cast<std::uint32_t>(static_cast<float>(value));
  }
  std::uint64_t largest() const {
    return eight_ ? std::bit_cast<std::uint64_t>(std::numeric_limits<double>::max())
                  : std::bit_cast<std::uint32_t>(std::numeric_limits<float>::max());
  }

  void invert(const Xmm& d, const Xmm& a) { vxorps(d, a, literal(~std::uint64_t{0})); }

  /// d = mask ? a : b.
  void select(const Xmm& d, const Xmm& mask, const Xmm& a, const Xmm& b) {
    if (wide_) {
      vmovaps(temporary(0), mask);
      vpternlogd(temporary(0), a, b, 0xca);
      vmovaps(d, temporary(0));
    } else {
      vblendvps(d, b, a, mask);
    }
  }

  void compare_floats(Order order, const Xmm& d, const Xmm& a, const Operand& b) {
    constexpr std::uint8_t kPredicates[] = {17, 18, 30, 29, 0, 4};  // quiet; only "not equal" holds for NaN
    compare_floats(kPredicates[static_cast<int>(order)], d, a, b);
  }
  void compare_floats(std::uint8_t predicate, const Xmm& d, const Xmm& a, const Operand& b) {
    if (wide_) {
      PENSTOCK_FLOATS(vcmp, k1, a, b, predicate);
      spread(d);
    } else {
      PENSTOCK_FLOATS(vcmp, d, a, b, predicate);
    }
  }

  bool compare_integers(Order order, bool is_signed, const Xmm& d, const Xmm& a, const Xmm& b) {
    if (wide_) {
      constexpr std::uint8_t kPredicates[] = {1, 2, 6, 5, 0, 4};
      const std::uint8_t predicate = kPredicates[static_cast<int>(order)];
      if (is_signed)
        PENSTOCK_INTEGERS(vpcmp, k1, a, b, predicate);
      else
        PENSTOCK_INTEGERS(vpcmpu, k1, a, b, predicate);
      spread(d);
      return true;
    }
    const bool equality = order == Order::kEqual || order == Order::kNotEqual;
    if (!is_signed && !equality) return false;
    if (equality)
      PENSTOCK_INTEGERS(vpcmpeq, d, a, b);
    else if (order == Order::kGreater || order == Order::kLessEqual)
      PENSTOCK_INTEGERS(vpcmpgt, d, a, b);
    else
      PENSTOCK_INTEGERS(vpcmpgt, d, b, a);
    if (order == Order::kNotEqual || order == Order::kLessEqual || order == Order::kGreaterEqual) invert(d, d);
    return true;
  }

  static std::optional<Order> order_of(Op op) {
    switch (op) {
      case Op::k_less:
        return Order::kLess;
      case Op::k_less_equal:
        return Order::kLessEqual;
      case Op::k_greater:
        return Order::kGreater;
      case Op::k_greater_equal:
        return Order::kGreaterEqual;
      case Op::k_equal:
        return Order::kEqual;
      case Op::k_not_equal:
        return Order::kNotEqual;
      default:
        return std::nullopt;
    }
  }

  /// Operations that only move bits, on any dtype.
  bool write_bits(Op op, const Xmm& d, const Xmm& a, const Xmm& b, const Xmm& c) {
    switch (op) {
      case Op::k_bitwise_and:
        vandps(d, a, b);
        return true;
      case Op::k_bitwise_or:
        vorps(d, a, b);
        return true;
      case Op::k_bitwise_xor:
        vxorps(d, a, b);
        return true;
      case Op::k_bitwise_invert:
        invert(d, a);
        return true;
      case Op::k_where:
        select(d, a, b, c);
        return true;
      case Op::k_positive:
      case Op::k_conj:
      case Op::k_real:
        vmovaps(d, a);
        return true;
      default:
        return false;
    }
  }

  bool write_mask(Op op, const Xmm& d, const Xmm& a, const Xmm& b, const Xmm&) {
    switch (op) {
      case Op::k_logical_and:
        vandps(d, a, b);
        return true;
      case Op::k_logical_or:
        vorps(d, a, b);
        return true;
      case Op::k_logical_xor:
      case Op::k_not_equal:
        vxorps(d, a, b);
        return true;
      case Op::k_logical_not:
        invert(d, a);
        return true;
      case Op::k_equal:
        vxorps(d, a, b);
        invert(d, d);
        return true;
      default:
        return false;
    }
  }

  bool write_float(Op op, const Xmm& d, const Xmm& a, const Xmm& b) {
    if (const std::optional<Order> order = order_of(op)) {
      compare_floats(*order, d, a, b);
      return true;
    }
    switch (op) {
      case Op::k_add:
        PENSTOCK_FLOATS(vadd, d, a, b);
        return true;
      case Op::k_subtract:
        PENSTOCK_FLOATS(vsub, d, a, b);
        return true;
      case Op::k_multiply:
        PENSTOCK_FLOATS(vmul, d, a, b);
        return true;
      case Op::k_divide:
        PENSTOCK_FLOATS(vdiv, d, a, b);
        return true;
      case Op::k_square:
        PENSTOCK_FLOATS(vmul, d, a, a);
        return true;
      case Op::k_sqrt:
        PENSTOCK_FLOATS(vsqrt, d, a);
        return true;
      case Op::k_reciprocal:
        vmovaps(temporary(0), literal(float_bits(1)));
        PENSTOCK_FLOATS(vdiv, d, temporary(0), a);
        return true;
      case Op::k_negative:
        vxorps(d, a, literal(sign_bit()));
        return true;
      case Op::k_abs:
        vandps(d, a, literal(~sign_bit()));
        return true;
      case Op::k_copysign:
        vandps(temporary(0), a, literal(~sign_bit()));
        vandps(temporary(1), b, literal(sign_bit()));
        vorps(d, temporary(0), temporary(1));
        return true;
      case Op::k_maximum:
        extreme(true, d, a, b);
        return true;
      case Op::k_minimum:
        extreme(false, d, a, b);
        return true;
      default:
        return false;
    }
  }

  /// The instructions give the second operand for equal ones and for NaN, so that only zeros of both signs and NaN
  /// make a difference between the two orders: AND gives +0 (maximum), OR gives -0 (minimum); NaN is a + b.
  void extreme(bool maximum, const Xmm& d, const Xmm& a, const Xmm& b) {
    const Xmm first = temporary(0);
    const Xmm second = temporary(1);
    if (maximum) {
      PENSTOCK_FLOATS(vmax, first, a, b);
      PENSTOCK_FLOATS(vmax, second, b, a);
      vandps(first, first, second);
    } else {
      PENSTOCK_FLOATS(vmin, first, a, b);
      PENSTOCK_FLOATS(vmin, second, b, a);
      vorps(first, first, second);
    }
    constexpr std::uint8_t kUnordered = 3;
    if (wide_) {
      PENSTOCK_FLOATS(vcmp, k1, a, b, kUnordered);
      PENSTOCK_FLOATS(vadd, first | k1, a, b);
      vmovaps(d, first);
    } else {
      PENSTOCK_FLOATS(vadd, second, a, b);
      PENSTOCK_FLOATS(vcmp, temporary(2), a, b, kUnordered);
      vblendvps(d, first, second, temporary(2));
    }
  }

  bool write_clip(Op op, const Xmm& d, const Xmm& a, const Xmm& low, const Xmm& high) {
    if (op != Op::k_clip) return false;
    // The value between the two steps needs a register that neither step uses; AVX2 has none left.
    if (!wide_) return false;
    extreme(true, temporary(2), a, low);
    extreme(false, d, temporary(2), high);
    return true;
  }

  bool write_rounding(Op op, const Xmm& d, const Xmm& a) {
    constexpr std::uint8_t kDown = 9;
    constexpr std::uint8_t kUp = 10;
    constexpr std::uint8_t kToZero = 11;
    constexpr std::uint8_t kToEven = 8;
    const std::uint8_t mode = op == Op::k_floor   ? kDown
                              : op == Op::k_ceil  ? kUp
                              : op == Op::k_trunc ? kToZero
                                                  : kToEven;
    if (mode == kToEven && op != Op::k_round) return false;
    if (wide_)
      PENSTOCK_FLOATS(vrndscale, d, a, mode);
    else
      PENSTOCK_FLOATS(vround, d, a, mode);
    return true;
  }

  bool write_sign(Op op, const Xmm& d, const Xmm& a, const Xmm& b) {
    const Xmm first = temporary(0);
    const Xmm second = temporary(1);
    const Xmm third = temporary(2);
    vxorps(third, third, third);
    switch (op) {
      case Op::k_sign:
        compare_floats(Order::kGreater, first, a, third);
        vandps(first, first, literal(float_bits(1)));
        compare_floats(Order::kLess, second, a, third);
        vandps(second, second, literal(float_bits(-1)));
        vorps(second, first, second);
        break;
      case Op::k_heaviside:
        compare_floats(Order::kGreater, first, a, third);
        compare_floats(Order::kEqual, second, a, third);
        vandps(third, first, literal(float_bits(1)));
        select(second, second, b, third);
        break;
      default:
        return false;
    }
    compare_floats(Order::kNotEqual, third, a, a);
    select(d, third, a, second);
    return true;
  }

  bool write_class(Op op, const Xmm& d, const Xmm& a) {
    switch (op) {
      case Op::k_signbit:
        vxorps(temporary(0), temporary(0), temporary(0));
        return compare_integers(Order::kLess, true, d, a, temporary(0));
      case Op::k_isnan:
        compare_floats(Order::kNotEqual, d, a, a);
        return true;
      case Op::k_isinf:
        vandps(temporary(0), a, literal(~sign_bit()));
        compare_floats(Order::kEqual, d, temporary(0), literal(float_bits(std::numeric_limits<double>::infinity())));
        return true;
      case Op::k_isfinite:
        vandps(temporary(0), a, literal(~sign_bit()));
        compare_floats(Order::kLessEqual, d, temporary(0), literal(largest()));
        return true;
      default:
        return false;
    }
  }

  bool write_integer(Op op, bool is_signed, const Xmm& d, const Xmm& a, const Xmm& b) {
    if (const std::optional<Order> order = order_of(op)) return compare_integers(*order, is_signed, d, a, b);
    const bool multiplies = wide_ || !eight_;  // AVX2 has no product of 64 bits, and no order of them
    switch (op) {
      case Op::k_add:
        PENSTOCK_INTEGERS(vpadd, d, a, b);
        return true;
      case Op::k_subtract:
        PENSTOCK_INTEGERS(vpsub, d, a, b);
        return true;
      case Op::k_negative:
        vxorps(temporary(0), temporary(0), temporary(0));
        PENSTOCK_INTEGERS(vpsub, d, temporary(0), a);
        return true;
      case Op::k_multiply:
        if (multiplies) product(d, a, b);
        return multiplies;
      case Op::k_square:
        if (multiplies) product(d, a, a);
        return multiplies;
      case Op::k_maximum:
      case Op::k_minimum:
        if (multiplies) extreme(op == Op::k_maximum, is_signed, d, a, b);
        return multiplies;
      default:
        return false;
    }
  }

  void product(const Xmm& d, const Xmm& a, const Xmm& b) {
    if (eight_)
      vpmullq(d, a, b);
    else
      vpmulld(d, a, b);
  }

  void extreme(bool maximum, bool is_signed, const Xmm& d, const Xmm& a, const Xmm& b) {
    if (maximum && is_signed)
      PENSTOCK_INTEGERS(vpmaxs, d, a, b);
    else if (maximum)
      PENSTOCK_INTEGERS(vpmaxu, d, a, b);
    else if (is_signed)
      PENSTOCK_INTEGERS(vpmins, d, a, b);
    else
      PENSTOCK_INTEGERS(vpminu, d, a, b);
  }

  std::map<std::uint64_t, Label> literals_;
};

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
    static Cache* cache = new Cache;
    return *cache;
  }

  template <class Make>
  std::shared_ptr<const Generated> find(const std::string& key, const Make& make) {
    const std::lock_guard lock(mutex_);
    const auto found = made_.find(key);
    if (found != made_.end()) return found->second;
    if (made_.size() >= kMost) made_.clear();
    return made_[key] = make();
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
  return allocate(recipe, *wide).has_value();
}

std::shared_ptr<const Generated> generate(const Recipe& recipe) {
  const std::optional<bool> wide = wide_on(simd::target());
  PENSTOCK_CHECK(wide.has_value());
  return Cache::instance().find(key_of(recipe, *wide), [&]() -> std::shared_ptr<const Generated> {
    std::optional<Homes> homes = allocate(recipe, *wide);
    PENSTOCK_CHECK(homes.has_value());
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
