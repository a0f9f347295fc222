// SPDX-License-Identifier: Apache-2.0
// The instructions of AVX2 and AVX-512 that an operation is. Each sequence gives the bits of the operation's functor
// (kernel/functors-inl.h); none contracts a multiplication and an addition. A bool is a lane of ones or zeros.
#pragma once

#include <xbyak/xbyak.h>

#include <bit>
#include <limits>
#include <map>
#include <optional>

#include "penstock/op/ops.h"
#include "penstock/type/dtype.h"

// One instruction for both lane widths.
#define PENSTOCK_FLOATS(name, ...) (eight_ ? name##pd(__VA_ARGS__) : name##ps(__VA_ARGS__))
#define PENSTOCK_INTEGERS(name, ...) (eight_ ? name##q(__VA_ARGS__) : name##d(__VA_ARGS__))

namespace penstock::kernel::x86 {

using Xbyak::Label;
using Xbyak::Operand;
using Xbyak::Xmm;

constexpr int kTemporaries = 3;  // vector registers that a single operation may use
inline int registers_of(bool wide) { return (wide ? 32 : 16) - kTemporaries; }

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

  /// Whether `op` may read its second operand from memory, and whether that may be its first one as well.
  static bool reads_memory(Op op, DType dtype) {
    return kind_of(dtype) == Kind::kFloat && (commutes(op) || op == Op::k_subtract || op == Op::k_divide);
  }
  static bool commutes(Op op) { return op == Op::k_add || op == Op::k_multiply; }

  /// d = op(a, b) for floats and an `op` that reads memory.
  void write_reading(Op op, const Xmm& d, const Xmm& a, const Operand& b) {
    if (op == Op::k_add)
      PENSTOCK_FLOATS(vadd, d, a, b);
    else if (op == Op::k_subtract)
      PENSTOCK_FLOATS(vsub, d, a, b);
    else if (op == Op::k_multiply)
      PENSTOCK_FLOATS(vmul, d, a, b);
    else
      PENSTOCK_FLOATS(vdiv, d, a, b);
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
    if (reads_memory(op, eight_ ? DType::k_float64 : DType::k_float32)) {
      write_reading(op, d, a, b);
      return true;
    }
    switch (op) {
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

  /// Of NaN the second one wins, untouched; -0 is less than +0.
  void extreme(bool maximum, const Xmm& d, const Xmm& a, const Xmm& b) {
    const Xmm first = temporary(0);
    if (wide_) {
      // An instruction of both zeros' order, which leaves NaN out.
      constexpr std::uint32_t kTakeNan = 0x11;
      PENSTOCK_FLOATS(vrange, first, a, b, maximum ? 5 : 4);
      respond(first, a, kTakeNan);
      respond(first, b, kTakeNan);
      vmovaps(d, first);
      return;
    }
    // The instructions give the second operand for equal ones and for NaN, so that only zeros of both signs and NaN
    // make a difference between the two orders: AND gives +0 (maximum), OR gives -0 (minimum).
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
    PENSTOCK_FLOATS(vcmp, second, a, a, kUnordered);
    vblendvps(first, first, a, second);
    PENSTOCK_FLOATS(vcmp, second, b, b, kUnordered);
    vblendvps(d, first, b, second);
  }

  bool write_clip(Op op, const Xmm& d, const Xmm& a, const Xmm& low, const Xmm& high) {
    if (op != Op::k_clip) return false;
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

  /// What each class of number in `x` makes of d, four bits a class from the lowest on: quiet and signalling NaN, zero,
  /// one, the infinities (negative first), other negative and positive numbers. 0 leaves d, 1 takes x, 8 is zero, 9 is
  /// -1, 10 is 1. Compares that fill mask registers would do the same; with those a chain of ten operations takes twice
  /// as long where roots and quotients lie between them.
  void respond(const Xmm& d, const Xmm& x, std::uint32_t responses) {
    PENSTOCK_FLOATS(vfixupimm, d, x, literal(responses), 0);
  }

  bool write_wide_sign(Op op, const Xmm& d, const Xmm& a, const Xmm& b) {
    const Xmm result = temporary(0);
    if (op == Op::k_sign) {
      vxorps(result, result, result);  // so that it waits for nothing
      respond(result, a, 0xa9a9a811);
    } else if (op == Op::k_heaviside) {
      vmovaps(result, b);
      respond(result, a, 0xa8a8a011);
    } else {
      return false;
    }
    vmovaps(d, result);
    return true;
  }

  bool write_sign(Op op, const Xmm& d, const Xmm& a, const Xmm& b) {
    if (wide_) return write_wide_sign(op, d, a, b);
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

}  // namespace penstock::kernel::x86
