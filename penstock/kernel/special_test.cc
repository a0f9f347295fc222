// SPDX-License-Identifier: Apache-2.0
// The cases that standards single out, and complex numbers, written out, under every target.
#include <cmath>

#include "gtest/gtest.h"
#include "penstock/kernel/reference.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

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
      {Op::k_floor_divide, 1, -kInf, -0.0},
      {Op::k_floor_divide, -1, kInf, -0.0},
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
    EXPECT_EQ(call(table, Op::k_pow, C(0, 0), C(0.5, -3)), C(0, 0));
    EXPECT_TRUE(std::isnan(call(table, Op::k_pow, C(0, 0), C(0, 1)).real()));
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
