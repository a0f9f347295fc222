// SPDX-License-Identifier: Apache-2.0
// What each operation means, under every target: real dtypes against one plain expression a row, written with wider
// types, over all pairs of special values and random ones; and tables of the cases that standards single out.
#include <cmath>
#include <memory>

#include "gtest/gtest.h"
#include "penstock/kernel/element.h"
#include "penstock/kernel/elsewhere.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

__extension__ typedef __int128 Int;
__extension__ typedef unsigned __int128 Wrapping;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Int floor_quotient(Int a, Int b) {
  if (b == 0) return 0;
  const Int q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

template <class T>
T integer_pow(T a, T b) {
  if (b < 0) return a == 1 ? 1 : a == T(-1) ? static_cast<T>(b % 2 != 0 ? -1 : 1) : 0;
  Wrapping result = 1;
  Wrapping base = static_cast<Wrapping>(static_cast<Int>(a));
  for (std::uint64_t left = static_cast<std::uint64_t>(b); left != 0; left /= 2, base *= base) {
    if (left % 2 != 0) result *= base;
  }
  return static_cast<T>(result);
}

/// The integer result of an operation in exact arithmetic, wrapped on return.
template <class T>
Int integer_reference(Op op, Int a, Int b, Int c) {
  constexpr int kBits = sizeof(T) * 8;
  const bool in_range = b >= 0 && b < kBits;
  switch (op) {
    case Op::k_abs:
      return a < 0 ? -a : a;
    case Op::k_add:
      return a + b;
    case Op::k_bitwise_and:
      return a & b;
    case Op::k_bitwise_invert:
      return ~a;
    case Op::k_bitwise_left_shift:
      return in_range ? static_cast<Int>(static_cast<Wrapping>(a) << b) : 0;
    case Op::k_bitwise_or:
      return a | b;
    case Op::k_bitwise_right_shift:
      return in_range ? a >> b : b > 0 && a < 0 ? -1 : 0;
    case Op::k_bitwise_xor:
      return a ^ b;
    case Op::k_clip:
      return std::min(std::max(a, b), c);
    case Op::k_equal:
      return a == b;
    case Op::k_floor_divide:
      return floor_quotient(a, b);
    case Op::k_greater:
      return a > b;
    case Op::k_greater_equal:
      return a >= b;
    case Op::k_isfinite:
      return 1;
    case Op::k_isinf:
    case Op::k_isnan:
      return 0;
    case Op::k_less:
      return a < b;
    case Op::k_less_equal:
      return a <= b;
    case Op::k_maximum:
      return std::max(a, b);
    case Op::k_minimum:
      return std::min(a, b);
    case Op::k_multiply:
      return static_cast<Int>(static_cast<Wrapping>(a) * static_cast<Wrapping>(b));
    case Op::k_negative:
      return -a;
    case Op::k_not_equal:
      return a != b;
    case Op::k_pow:
      return integer_pow(static_cast<T>(a), static_cast<T>(b));
    case Op::k_remainder:
      return b == 0 ? 0 : a - floor_quotient(a, b) * b;
    case Op::k_sign:
      return (a > 0) - (a < 0);
    case Op::k_square:
      return static_cast<Int>(static_cast<Wrapping>(a) * static_cast<Wrapping>(a));
    case Op::k_subtract:
      return a - b;
    case Op::k_ceil:
    case Op::k_conj:
    case Op::k_floor:
    case Op::k_positive:
    case Op::k_real:
    case Op::k_round:
    case Op::k_trunc:
      return a;
    default:
      break;
  }
  ADD_FAILURE() << "no reference for " << row(op).name;
  return 0;
}

bool bool_reference(Op op, bool a, bool b, bool c) {
  switch (op) {
    case Op::k_bitwise_and:
    case Op::k_logical_and:
    case Op::k_minimum:
      return a && b;
    case Op::k_bitwise_or:
    case Op::k_logical_or:
    case Op::k_maximum:
      return a || b;
    case Op::k_bitwise_xor:
    case Op::k_logical_xor:
    case Op::k_not_equal:
      return a != b;
    case Op::k_bitwise_invert:
    case Op::k_logical_not:
      return !a;
    case Op::k_clip:
      return (a || b) && c;
    case Op::k_equal:
      return a == b;
    case Op::k_greater:
      return a && !b;
    case Op::k_greater_equal:
      return a || !b;
    case Op::k_less:
      return !a && b;
    case Op::k_less_equal:
      return !a || b;
    default:
      break;
  }
  ADD_FAILURE() << "no reference for " << row(op).name;
  return false;
}

template <class T>
T maximum_reference(T a, T b) {
  if (a != a || b != b) return static_cast<T>(kNan);
  if (a == 0 && b == 0) return std::signbit(a) ? b : a;
  return a < b ? b : a;
}
template <class T>
T minimum_reference(T a, T b) {
  return -maximum_reference(-a, -b);
}

/// Python's float.__divmod__.
template <class T>
std::pair<T, T> divmod(T a, T b) {
  T mod = std::fmod(a, b);
  T div = (a - mod) / b;
  if (mod != 0) {
    if ((b < 0) != (mod < 0)) {
      mod += b;
      div -= 1;
    }
  } else {
    mod = std::copysign(T{0}, b);
  }
  T floored = std::floor(div);
  if (div - floored > T(0.5)) floored += 1;
  if (div == 0) floored = std::copysign(T{0}, a / b);
  if (b == 0 || std::isinf(a)) floored = a / b;
  return {floored, mod};
}

template <class T>
T float_reference(Op op, T a, T b, T c) {
  switch (op) {
    case Op::k_abs:
      return std::abs(a);
    case Op::k_add:
      return a + b;
    case Op::k_ceil:
      return std::ceil(a);
    case Op::k_clip:
      return minimum_reference(maximum_reference(a, b), c);
    case Op::k_copysign:
      return std::copysign(a, b);
    case Op::k_divide:
      return a / b;
    case Op::k_equal:
      return a == b;
    case Op::k_floor:
      return std::floor(a);
    case Op::k_floor_divide:
      return divmod(a, b).first;
    case Op::k_greater:
      return a > b;
    case Op::k_greater_equal:
      return a >= b;
    case Op::k_isfinite:
      return std::isfinite(a);
    case Op::k_isinf:
      return std::isinf(a);
    case Op::k_isnan:
      return std::isnan(a);
    case Op::k_less:
      return a < b;
    case Op::k_less_equal:
      return a <= b;
    case Op::k_maximum:
      return maximum_reference(a, b);
    case Op::k_minimum:
      return minimum_reference(a, b);
    case Op::k_multiply:
      return a * b;
    case Op::k_negative:
      return -a;
    case Op::k_nextafter:
      return std::nextafter(a, b);
    case Op::k_not_equal:
      return a != b;
    case Op::k_reciprocal:
      return 1 / a;
    case Op::k_remainder:
      return divmod(a, b).second;
    case Op::k_round:
      return std::nearbyint(a);
    case Op::k_sign:
      return a > 0 ? 1 : a < 0 ? -1 : a == 0 ? 0 : a;
    case Op::k_signbit:
      return std::signbit(a);
    case Op::k_sqrt:
      return std::sqrt(a);
    case Op::k_square:
      return a * a;
    case Op::k_subtract:
      return a - b;
    case Op::k_trunc:
      return std::trunc(a);
    case Op::k_conj:
    case Op::k_positive:
    case Op::k_real:
      return a;
    default:
      break;
  }
  ADD_FAILURE() << "no reference for " << row(op).name;
  return 0;
}

template <class T>
T reference(Op op, T a, T b, T c) {
  if constexpr (std::is_same_v<T, bool>) {
    return bool_reference(op, a, b, c);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(integer_reference<T>(op, a, b, c));
  } else {
    return float_reference(op, a, b, c);
  }
}

/// All pairs of special values, then random ones.
template <class T>
struct Operands {
  std::int64_t n = 0;
  std::unique_ptr<T[]> values[3];

  explicit Operands(std::uint64_t seed) {
    const std::vector<T> special = special_values<T>();
    const auto pairs = static_cast<std::int64_t>(special.size() * special.size());
    n = pairs + 1000;
    for (std::uint64_t k = 0; k < 3; ++k) {
      values[k] = std::make_unique<T[]>(static_cast<std::size_t>(n));
      fill_values(values[k].get(), n, seed + k);
    }
    for (std::int64_t i = 0; i < pairs; ++i) {
      values[0][static_cast<std::size_t>(i)] = special[static_cast<std::size_t>(i) / special.size()];
      values[1][static_cast<std::size_t>(i)] = special[static_cast<std::size_t>(i) % special.size()];
    }
  }
};

template <class T>
void check(Op op) {
  const Operands<T> x(static_cast<std::uint64_t>(index_of(op)));
  const void* in[] = {x.values[0].get(), x.values[1].get(), x.values[2].get()};
  const bool to_bool = row(op).result == Result::kBool;
  for_targets([&](const Table& table) {
    Operand out(x.n, sizeof(T));
    table.elementwise[index_of(op)][index_of(kDTypeOf<T>)](in, out.data(), x.n);
    for (std::int64_t i = 0; i < x.n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const T a = x.values[0][at];
      const T b = x.values[1][at];
      const T c = x.values[2][at];
      const T got = to_bool ? static_cast<T>(out.as<std::uint8_t>()[i]) : out.as<T>()[i];
      const T expected = reference<T>(op, a, b, c);
      ASSERT_TRUE(same(got, expected)) << row(op).name << "(" << text_of(a) << ", " << text_of(b) << ", " << text_of(c)
                                       << ") of " << name_of(kDTypeOf<T>) << " = " << text_of(got) << " under "
                                       << table.target << ", expected " << text_of(expected);
    }
  });
}

TEST(Semantics, RealDtypesGiveThePlainExpression) {
  for (int i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    if (op == Op::k_where) continue;
    for (int j = 0; j < kDTypeCount; ++j) {
      const DType t = static_cast<DType>(j);
      if (kind_of(t) == Kind::kComplex || is_elsewhere(op, t) || table().elementwise[i][j] == nullptr) continue;
      visit(t, [&]<class T>() {
        if constexpr (std::is_arithmetic_v<T>) check<T>(op);
      });
    }
  }
}

TEST(Semantics, WhereTakesTheSecondOperandWhereTrue) {
  for (int j = 0; j < kDTypeCount; ++j) {
    const DType t = static_cast<DType>(j);
    if (t == DType::k_float16) continue;
    constexpr std::int64_t kN = 261;
    const std::int64_t size = size_of(t);
    Operand condition(kN, 1), a(kN, size), b(kN, size), expected(kN, size);
    fill_values(DType::k_bool, condition.data(), kN, 1);
    fill_values(t, a.data(), kN, 2);
    fill_values(t, b.data(), kN, 3);
    for (std::int64_t i = 0; i < kN; ++i) {
      const Operand& from = condition.as<bool>()[i] ? a : b;
      std::memcpy(expected.as<char>() + i * size, static_cast<const char*>(from.data()) + i * size,
                  static_cast<std::size_t>(size));
    }
    for_targets([&](const Table& table) {
      Operand out(kN, size);
      const void* in[] = {condition.data(), a.data(), b.data()};
      table.elementwise[index_of(Op::k_where)][j](in, out.data(), kN);
      EXPECT_EQ(std::memcmp(out.data(), expected.data(), out.bytes()), 0) << name_of(t) << " under " << table.target;
    });
  }
}

/// Quotients at and next to whole numbers, where dividing by way of floats has least room; every pair of 8-bit numbers.
template <class T>
void check_quotients() {
  std::vector<T> a;
  std::vector<T> b;
  std::mt19937_64 random(3);
  for (int i = 0; i < 65536; ++i) {
    T x = static_cast<T>(i & 255);
    T y = static_cast<T>(i >> 8);
    if constexpr (sizeof(T) > 1) {
      y = static_cast<T>(random() >> (random() % 63));
      x = static_cast<T>(static_cast<T>(random() >> (random() % 63)) / (y == 0 || y == T(-1) ? T(1) : y));
      x = static_cast<T>(static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(y) + random() % 3 - 1);
    }
    a.push_back(x);
    b.push_back(y);
  }
  const void* in[] = {a.data(), b.data(), nullptr};
  for_targets([&](const Table& table) {
    for (const Op op : {Op::k_floor_divide, Op::k_remainder}) {
      std::vector<T> got(a.size());
      table.elementwise[index_of(op)][index_of(kDTypeOf<T>)](in, got.data(), static_cast<std::int64_t>(a.size()));
      for (std::size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(got[i], static_cast<T>(integer_reference<T>(op, a[i], b[i], 0)))
            << row(op).name << "(" << text_of(a[i]) << ", " << text_of(b[i]) << ") of " << name_of(kDTypeOf<T>)
            << " under " << table.target;
      }
    }
  });
}

TEST(Semantics, IntegerQuotientsNextToWholeNumbers) {
  for (int t = 0; t < kDTypeCount; ++t) {
    visit(static_cast<DType>(t), [&]<class T>() {
      if constexpr (kIsInteger<T>) check_quotients<T>();
    });
  }
}

template <class T>
T call(const Table& table, Op op, T a, T b = T{}) {
  T out{};
  const void* in[] = {&a, &b, nullptr};
  table.elementwise[index_of(op)][index_of(kDTypeOf<T>)](in, &out, 1);
  return out;
}

struct Named {
  Op op;
  double a, b, expected;
};

// Special cases that the array API lists; the sweep above shares its expression with them in spirit, these are written
// out.
TEST(Semantics, SpecialCasesOfTheArrayApi) {
  const Named cases[] = {
      {Op::k_floor_divide, 1, 0.0, kInf},
      {Op::k_floor_divide, 1, -0.0, -kInf},
      {Op::k_floor_divide, -1, 0.0, -kInf},
      {Op::k_floor_divide, 0.0, 0.0, kNan},
      {Op::k_floor_divide, 0.0, -2, -0.0},
      {Op::k_floor_divide, -0.0, 2, -0.0},
      {Op::k_floor_divide, kInf, 2, kInf},
      {Op::k_floor_divide, kInf, -2, -kInf},
      {Op::k_floor_divide, kInf, kInf, kNan},
      {Op::k_floor_divide, 1, kInf, 0.0},
      {Op::k_floor_divide, 1, -kInf, -1},
      {Op::k_floor_divide, -1, kInf, -1},
      {Op::k_floor_divide, -1, -kInf, 0.0},
      {Op::k_floor_divide, -7, 2, -4},
      {Op::k_floor_divide, 1e308, 1e-10, kInf},
      {Op::k_remainder, -7, 2, 1},
      {Op::k_remainder, 7, -2, -1},
      {Op::k_remainder, 0.0, -2, -0.0},
      {Op::k_remainder, 1, -kInf, -kInf},
      {Op::k_remainder, -1, kInf, kInf},
      {Op::k_remainder, 1, kInf, 1},
      {Op::k_remainder, kInf, 1, kNan},
      {Op::k_remainder, 1, 0.0, kNan},
      {Op::k_round, 0.5, 0, 0.0},
      {Op::k_round, 2.5, 0, 2},
      {Op::k_round, -0.5, 0, -0.0},
      {Op::k_round, 1.5, 0, 2},
      {Op::k_maximum, -0.0, 0.0, 0.0},
      {Op::k_maximum, 0.0, -0.0, 0.0},
      {Op::k_minimum, 0.0, -0.0, -0.0},
      {Op::k_maximum, kNan, 1, kNan},
      {Op::k_maximum, 1, kNan, kNan},
      {Op::k_minimum, -kInf, kNan, kNan},
      {Op::k_sign, -0.0, 0, 0.0},
      {Op::k_sign, kNan, 0, kNan},
      {Op::k_nextafter, 0.0, -1, -5e-324},
      {Op::k_pow, 0.0, 0.0, 1},
      {Op::k_pow, kNan, 0.0, 1},
      {Op::k_pow, 1, kNan, 1},
      {Op::k_pow, -1, kInf, 1},
      {Op::k_pow, -8, 1.0 / 3, kNan},
      {Op::k_pow, 0.0, -1, kInf},
      {Op::k_pow, -0.0, -1, -kInf},
      {Op::k_pow, -0.0, -2, kInf},
      {Op::k_pow, -kInf, 3, -kInf},
      {Op::k_pow, -kInf, -3, -0.0},
      {Op::k_pow, 0.5, kInf, 0.0},
      {Op::k_pow, 0.5, -kInf, kInf},
      {Op::k_atan2, 0.0, -0.0, 3.1415926535897932},
      {Op::k_atan2, -0.0, -0.0, -3.1415926535897932},
      {Op::k_atan2, -0.0, 0.0, -0.0},
      {Op::k_atan2, kInf, kInf, 0.78539816339744828},
      {Op::k_atan2, kInf, -kInf, 2.3561944901923448},
      {Op::k_hypot, kInf, kNan, kInf},
      {Op::k_hypot, kNan, -kInf, kInf},
      {Op::k_logaddexp, -kInf, -kInf, -kInf},
      {Op::k_logaddexp, kInf, -kInf, kInf},
      {Op::k_logaddexp, -kInf, 3, 3},
      {Op::k_logaddexp, 1000, 1000, 1000.6931471805599},
      {Op::k_log, 0.0, 0, -kInf},
      {Op::k_log, -0.0, 0, -kInf},
      {Op::k_log, -1, 0, kNan},
      {Op::k_log1p, -1, 0, -kInf},
      {Op::k_exp, -kInf, 0, 0.0},
      {Op::k_expm1, -0.0, 0, -0.0},
      {Op::k_sqrt, -0.0, 0, -0.0},
      {Op::k_sqrt, -1, 0, kNan},
      {Op::k_sin, kInf, 0, kNan},
      {Op::k_sin, 1e300, 0, -0.8178819121159085},
      {Op::k_tanh, -0.0, 0, -0.0},
      {Op::k_asinh, 5e-324, 0, 5e-324},
      {Op::k_cosh, 710, 0, 1.1169973830808555e308},
      {Op::k_acosh, 1e308, 0, 709.88935582272597},
      {Op::k_log1p, 1e308, 0, 709.19620864216608},
  };
  for_targets([&](const Table& table) {
    for (const Named& each : cases) {
      const double got = call(table, each.op, each.a, each.b);
      EXPECT_TRUE(same(got, each.expected))
          << row(each.op).name << "(" << text_of(each.a) << ", " << text_of(each.b) << ") = " << text_of(got)
          << " under " << table.target << ", expected " << text_of(each.expected);
    }
  });
}

using C = std::complex<double>;

TEST(Semantics, ComplexNumbers) {
  const auto near = [](C got, C expected) { return std::abs(got - expected) <= 4e-16 * std::abs(expected); };
  for_targets([&](const Table& table) {
    EXPECT_EQ(call(table, Op::k_multiply, C(1, 2), C(3, -4)), C(11, 2));
    EXPECT_EQ(call(table, Op::k_divide, C(11, 2), C(3, -4)), C(1, 2));
    // Squares of the divisor's parts overflow and underflow.
    EXPECT_TRUE(near(call(table, Op::k_divide, C(1e300, 1e300), C(1e300, 1e300)), C(1, 0)));
    EXPECT_TRUE(near(call(table, Op::k_divide, C(1e-300, -1e-300), C(1e-300, 1e-300)), C(0, -1)));
    EXPECT_TRUE(same(call(table, Op::k_divide, C(1, -1), C(0, 0)), C(kInf, -kInf)));
    EXPECT_EQ(call(table, Op::k_reciprocal, C(3, 4)), C(0.12, -0.16));
    EXPECT_EQ(call(table, Op::k_square, C(1, 2)), C(-3, 4));
    EXPECT_TRUE(same(call(table, Op::k_conj, C(1, 0)), C(1, -0.0)));
    EXPECT_EQ(call(table, Op::k_round, C(2.5, -1.5)), C(2, -2));
    EXPECT_EQ(call(table, Op::k_sign, C(3, 4)), C(0.6, 0.8));
    EXPECT_TRUE(same(call(table, Op::k_sign, C(-0.0, 0)), C(0, 0)));
    EXPECT_EQ(call(table, Op::k_sqrt, C(-4, 0)), C(0, 2));
    EXPECT_TRUE(same(call(table, Op::k_sqrt, C(-4, -0.0)), C(0, -2)));
    EXPECT_TRUE(same(call(table, Op::k_exp, C(-kInf, kNan)), C(0, 0)));
    EXPECT_EQ(call(table, Op::k_pow, C(0, 0), C(0, 0)), C(1, 0));
    EXPECT_EQ(call(table, Op::k_pow, C(0, 1), C(2, 0)), C(-1, 0));
    EXPECT_EQ(call(table, Op::k_pow, C(2, 0), C(-3, 0)), C(0.125, 0));
    EXPECT_TRUE(near(call(table, Op::k_pow, C(1, 2), C(0.5, 1)), std::pow(C(1, 2), C(0.5, 1))));
    EXPECT_TRUE(near(call(table, Op::k_log2, C(0, 8)), C(3, 2.2661800709135966)));
    EXPECT_TRUE(near(call(table, Op::k_log1p, C(1e-20, 1e-20)), C(1e-20, 1e-20)));
    EXPECT_TRUE(near(call(table, Op::k_log1p, C(3, 4)), std::log(C(4, 4))));
    EXPECT_TRUE(near(call(table, Op::k_expm1, C(1e-20, 1e-20)), C(1e-20, 1e-20)));
    EXPECT_TRUE(near(call(table, Op::k_expm1, C(2, 3)), std::exp(C(2, 3)) - 1.0));
    double modulus = 0;
    const C big(3e300, 4e300);
    const void* in[] = {&big, nullptr, nullptr};
    table.elementwise[index_of(Op::k_abs)][index_of(DType::k_complex128)](in, &modulus, 1);
    EXPECT_EQ(modulus, 5e300);
    bool flag = false;
    const C mixed(kNan, kInf);
    const void* mixed_in[] = {&mixed, nullptr, nullptr};
    for (const Op op : {Op::k_isnan, Op::k_isinf}) {
      table.elementwise[index_of(op)][index_of(DType::k_complex128)](mixed_in, &flag, 1);
      EXPECT_TRUE(flag) << row(op).name;
    }
    table.elementwise[index_of(Op::k_isfinite)][index_of(DType::k_complex128)](mixed_in, &flag, 1);
    EXPECT_FALSE(flag);
  });
}

}  // namespace
}  // namespace penstock::kernel
