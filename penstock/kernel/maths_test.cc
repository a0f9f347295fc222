// SPDX-License-Identifier: Apache-2.0
// The functions of simd/maths.def against MPFR (float64) and the C library's double functions (float32) on every
// target: special values exactly, everything else within the bound of its row.
//
// PENSTOCK_TEST_POINTS sets the number of points a function (default 100,000); from ten million on, every float32.
// The greatest error on each target is a property in the report, of which tools/accuracy.py makes a table.
#include <mpfr.h>

#include <cmath>
#include <cstdlib>

#include "gtest/gtest.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

struct Function {
  Op op;
  const char* name;
  int arity;
  double bound32;
  double bound64;
};
constexpr Function kFunctions[] = {
#define PENSTOCK_MATHS(name, arity, bound32, bound64) {Op::k_##name, #name, arity, bound32, bound64},
#include "penstock/simd/maths.def"
#undef PENSTOCK_MATHS
};

std::size_t points() {
  const char* text = std::getenv("PENSTOCK_TEST_POINTS");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 100000;
}

double logaddexp(double a, double b) {
  return a == b ? a + std::log(2.0) : std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

/// The C library's function in double.
double c_library(Op op, double a, double b) {
  switch (op) {
    case Op::k_acos:
      return std::acos(a);
    case Op::k_acosh:
      return std::acosh(a);
    case Op::k_asin:
      return std::asin(a);
    case Op::k_asinh:
      return std::asinh(a);
    case Op::k_atan:
      return std::atan(a);
    case Op::k_atan2:
      return std::atan2(a, b);
    case Op::k_atanh:
      return std::atanh(a);
    case Op::k_cos:
      return std::cos(a);
    case Op::k_cosh:
      return std::cosh(a);
    case Op::k_exp:
      return std::exp(a);
    case Op::k_expm1:
      return std::expm1(a);
    case Op::k_hypot:
      return std::hypot(a, b);
    case Op::k_log:
      return std::log(a);
    case Op::k_log10:
      return std::log10(a);
    case Op::k_log1p:
      return std::log1p(a);
    case Op::k_log2:
      return std::log2(a);
    case Op::k_logaddexp:
      return std::isnan(a) || std::isnan(b) ? NAN : logaddexp(a, b);
    case Op::k_pow:
      return std::pow(a, b);
    case Op::k_sin:
      return std::sin(a);
    case Op::k_sinh:
      return std::sinh(a);
    case Op::k_tan:
      return std::tan(a);
    case Op::k_tanh:
      return std::tanh(a);
    default:
      break;
  }
  ADD_FAILURE() << "no reference for " << row(op).name;
  return 0;
}

/// The exponent (of a fraction below 1) of logaddexp's greater operand.
long cancelled_exponent(double a, double b) {
  const double high = std::max(a, b);
  return high == 0 || std::isinf(high) ? -1073 : std::ilogb(high) + 1L;
}

/// MPFR's function, to 160 bits.
class Exact {
 public:
  Exact() { mpfr_inits2(160, a_, b_, r_, static_cast<mpfr_ptr>(nullptr)); }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
  ~Exact() { mpfr_clears(a_, b_, r_, static_cast<mpfr_ptr>(nullptr)); }

  /// |got - op(a, b)| in units of the last place that a double has at the exact value (of logaddexp, whose terms may
  /// cancel: at the larger of that and its operands' maximum).
  double error(Op op, double a, double b, double got) {
    mpfr_set_d(a_, a, MPFR_RNDN);
    mpfr_set_d(b_, b, MPFR_RNDN);
    compute(op);
    const double nearest = mpfr_get_d(r_, MPFR_RNDN);
    if (std::isnan(nearest) || std::isnan(got)) return std::isnan(nearest) == std::isnan(got) ? 0 : INFINITY;
    if (std::isinf(got) && std::isinf(nearest)) return got == nearest ? 0 : INFINITY;
    if (mpfr_inf_p(r_) != 0) return got == nearest ? 0 : INFINITY;
    // One past the largest double stands for an overflow.
    if (std::isinf(got))
      mpfr_set_ui_2exp(b_, 1, 1024, MPFR_RNDN), mpfr_setsign(b_, b_, std::signbit(got), MPFR_RNDN);
    else
      mpfr_set_d(b_, got, MPFR_RNDN);
    long exponent = mpfr_zero_p(r_) != 0 ? -1073 : std::max<long>(mpfr_get_exp(r_), -1021);
    if (op == Op::k_logaddexp) exponent = std::max(exponent, cancelled_exponent(a, b));
    mpfr_sub(r_, b_, r_, MPFR_RNDN);
    mpfr_mul_2si(r_, r_, 53 - exponent, MPFR_RNDN);
    return std::abs(mpfr_get_d(r_, MPFR_RNDN));
  }

 private:
  void compute(Op op) {
    switch (op) {
      case Op::k_acos:
        mpfr_acos(r_, a_, MPFR_RNDN);
        break;
      case Op::k_acosh:
        mpfr_acosh(r_, a_, MPFR_RNDN);
        break;
      case Op::k_asin:
        mpfr_asin(r_, a_, MPFR_RNDN);
        break;
      case Op::k_asinh:
        mpfr_asinh(r_, a_, MPFR_RNDN);
        break;
      case Op::k_atan:
        mpfr_atan(r_, a_, MPFR_RNDN);
        break;
      case Op::k_atan2:
        mpfr_atan2(r_, a_, b_, MPFR_RNDN);
        break;
      case Op::k_atanh:
        mpfr_atanh(r_, a_, MPFR_RNDN);
        break;
      case Op::k_cos:
        mpfr_cos(r_, a_, MPFR_RNDN);
        break;
      case Op::k_cosh:
        mpfr_cosh(r_, a_, MPFR_RNDN);
        break;
      case Op::k_exp:
        mpfr_exp(r_, a_, MPFR_RNDN);
        break;
      case Op::k_expm1:
        mpfr_expm1(r_, a_, MPFR_RNDN);
        break;
      case Op::k_hypot:
        mpfr_hypot(r_, a_, b_, MPFR_RNDN);
        break;
      case Op::k_log:
        mpfr_log(r_, a_, MPFR_RNDN);
        break;
      case Op::k_log10:
        mpfr_log10(r_, a_, MPFR_RNDN);
        break;
      case Op::k_log1p:
        mpfr_log1p(r_, a_, MPFR_RNDN);
        break;
      case Op::k_log2:
        mpfr_log2(r_, a_, MPFR_RNDN);
        break;
      case Op::k_logaddexp:
        mpfr_logaddexp();
        break;
      case Op::k_pow:
        mpfr_pow(r_, a_, b_, MPFR_RNDN);
        break;
      case Op::k_sin:
        mpfr_sin(r_, a_, MPFR_RNDN);
        break;
      case Op::k_sinh:
        mpfr_sinh(r_, a_, MPFR_RNDN);
        break;
      case Op::k_tan:
        mpfr_tan(r_, a_, MPFR_RNDN);
        break;
      case Op::k_tanh:
        mpfr_tanh(r_, a_, MPFR_RNDN);
        break;
      default:
        ADD_FAILURE() << "no reference for " << row(op).name;
    }
  }
  void mpfr_logaddexp() {
    if (mpfr_less_p(a_, b_) != 0) mpfr_swap(a_, b_);
    mpfr_sub(r_, b_, a_, MPFR_RNDN);
    mpfr_exp(r_, r_, MPFR_RNDN);
    mpfr_log1p(r_, r_, MPFR_RNDN);
    mpfr_add(r_, r_, a_, MPFR_RNDN);
  }

  mpfr_t a_;
  mpfr_t b_;
  mpfr_t r_;
};

/// |got - exact| in units of the last place that a float has at `exact`, which is accurate to far less than one.
double float_error(Op op, double a, double b, float got, double exact) {
  const float nearest = static_cast<float>(exact);
  if (std::isnan(nearest) || std::isnan(got)) return std::isnan(nearest) == std::isnan(got) ? 0 : INFINITY;
  if (std::isinf(exact) || (std::isinf(got) && std::isinf(nearest))) return got == nearest ? 0 : INFINITY;
  const double value = std::isinf(got) ? std::copysign(0x1p128, got) : static_cast<double>(got);
  long exponent = exact == 0 ? -125 : std::max(std::ilogb(exact) + 1, -125);
  if (op == Op::k_logaddexp) exponent = std::max(exponent, cancelled_exponent(a, b));
  return std::abs(std::ldexp(value - exact, static_cast<int>(24 - exponent)));
}

/// Random arguments: any bits, some around the interesting part of the real line.
template <class T>
T argument(std::mt19937_64& random) {
  const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
  switch (random() % 10) {
    case 0:
      return static_cast<T>(2 * unit - 1);
    case 1:
      return static_cast<T>(1 + (unit - 0.5) * 0.01);
    case 2:
      return static_cast<T>(40 * unit - 20);
    case 3:
      return static_cast<T>(1600 * unit - 800);
    case 4:
      return static_cast<T>(1e6 * unit - 5e5);
    case 5:
      return static_cast<T>(std::ldexp(unit + 1, static_cast<int>(random() % 80) - 60) * (random() % 2 == 0 ? 1 : -1));
    case 6:
      return static_cast<T>(
          std::ldexp(unit - 0.5, std::numeric_limits<T>::min_exponent + static_cast<int>(random() % 60)));
    default:
      break;
  }
  for (;;) {
    const T value =
        std::bit_cast<T>(static_cast<std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>(random()));
    if (value == value) return value;
  }
}

class Maths : public ::testing::TestWithParam<Function> {};

struct Worst {
  double error = 0;
  double a = 0;
  double b = 0;
  double got = 0;
};

template <class T>
std::vector<T> run(const Table& table, Op op, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> out(a.size());
  const void* in[] = {a.data(), b.data(), nullptr};
  table.elementwise[index_of(op)][index_of(kDTypeOf<T>)](in, out.data(), static_cast<std::int64_t>(a.size()));
  return out;
}

double error_of(Exact&, Op op, float a, float b, float got) { return float_error(op, a, b, got, c_library(op, a, b)); }
double error_of(Exact& exact, Op op, double a, double b, double got) { return exact.error(op, a, b, got); }

template <class T>
void check_random(const Function& f, double bound) {
  std::mt19937_64 random(static_cast<std::uint64_t>(index_of(f.op)) + 1);
  std::vector<T> a(points());
  std::vector<T> b(points());
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] = argument<T>(random);
    b[i] = argument<T>(random);
  }
  Exact exact;
  std::vector<T> before;  // what the target before gave, and how wrong that was
  std::vector<double> errors(a.size());
  for_targets([&](const Table& table) {
    const std::vector<T> got = run(table, f.op, a, b);
    Worst worst;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (before.empty() || !same(got[i], before[i])) errors[i] = error_of(exact, f.op, a[i], b[i], got[i]);
      if (errors[i] > worst.error) worst = {errors[i], a[i], b[i], got[i]};
    }
    before = got;
    ::testing::Test::RecordProperty(table.target, std::to_string(worst.error));
    EXPECT_LE(worst.error, bound) << f.name << "(" << text_of(worst.a) << ", " << text_of(worst.b)
                                  << ") = " << text_of(worst.got) << " under " << table.target;
  });
}

TEST_P(Maths, Float32WithinBound) { check_random<float>(GetParam(), GetParam().bound32); }
TEST_P(Maths, Float64WithinBound) { check_random<double>(GetParam(), GetParam().bound64); }

// What only ten million points found out of bound.
TEST(MathsHard, Float64PointsAreWithinBound) {
  struct Point {
    Op op;
    double a;
    double b;
  };
  constexpr Point kPoints[] = {
      {Op::k_atan2, 0.99734775199092773, 1.002268942460949},
      {Op::k_logaddexp, -0.030733487224528178, -3.0558264394476327},
  };
  Exact exact;
  for_targets([&](const Table& table) {
    for (const Point& point : kPoints) {
      const double got = run<double>(table, point.op, {point.a}, {point.b})[0];
      const auto* function = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                          [&](const Function& f) { return f.op == point.op; });
      EXPECT_LE(exact.error(point.op, point.a, point.b, got), function->bound64)
          << function->name << " under " << table.target;
    }
  });
}

// Around 1 log is as small as its argument is near, at the roots of 1/2 and 2 the power of two changes, and below
// 2^-1022 numbers are subnormal.
TEST(MathsHard, LogIsWithinBoundAtItsSeams) {
  std::mt19937_64 random(1);
  std::vector<double> x;
  for (const double seam : {1.0, std::sqrt(0.5), std::sqrt(2.0), std::sqrt(0.125), 0x1p-1022}) {
    for (std::size_t i = 0; i < points() / 20; ++i) {
      const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
      x.push_back(seam * (1 + std::ldexp(unit - 0.5, -static_cast<int>(random() % 50))));
    }
  }
  Exact exact;
  for_targets([&](const Table& table) {
    const std::vector<double> got = run(table, Op::k_log, x, x);
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, exact.error(Op::k_log, x[i], x[i], got[i]));
    EXPECT_LE(worst, 1.0) << table.target;
  });
}

// Vectors taken side by side give what each gives alone, among special values too.
TEST(MathsHard, ResultsDoNotDependOnTheirPlace) {
  std::vector<double> x;
  for (int i = 0; i < 400; ++i) x.push_back(i % 97 == 50 ? -1.0 : i % 89 == 70 ? 0x1p-1060 : 0.01 * i);
  for_targets([&](const Table& table) {
    for (const Op op : {Op::k_exp, Op::k_log}) {
      const std::vector<double> all = run(table, op, x, x);
      for (std::size_t i = 0; i < x.size(); ++i) {
        EXPECT_TRUE(same(run<double>(table, op, {x[i]}, {x[i]})[0], all[i]))
            << row(op).name << "(" << text_of(x[i]) << ") under " << table.target;
      }
    }
  });
}

/// Every special value, and every pair of them: NaN, infinities and zeros with their signs exactly as in the C library.
template <class T>
void check_special(const Function& f, double bound) {
  const std::vector<T> special = special_values<T>();
  std::vector<T> a;
  std::vector<T> b;
  for (const T x : special) {
    for (const T y : special) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  Exact exact;
  for_targets([&](const Table& table) {
    const std::vector<T> got = run(table, f.op, a, b);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double reference = c_library(f.op, a[i], b[i]);
      const auto what = [&] {
        return cat(f.name, "(", text_of(a[i]), ", ", text_of(b[i]), ") = ", text_of(got[i]), " under ", table.target,
                   ", expected ", text_of(reference));
      };
      if (std::isnan(reference) || std::isinf(reference) ||
          (reference == 0 && f.op != Op::k_pow && f.op != Op::k_exp)) {
        EXPECT_TRUE(same(got[i], static_cast<T>(reference))) << what();
        continue;
      }
      EXPECT_LE(error_of(exact, f.op, a[i], b[i], got[i]), bound) << what();
    }
  });
}

TEST_P(Maths, Float32SpecialValues) { check_special<float>(GetParam(), GetParam().bound32); }
TEST_P(Maths, Float64SpecialValues) { check_special<double>(GetParam(), GetParam().bound64); }

// Floats of every exponent, evenly; all of them from ten million points on.
TEST_P(Maths, EveryFloat32WithinBound) {
  const Function& f = GetParam();
  const std::uint64_t step = points() >= 10000000 ? 1 : ((std::uint64_t{1} << 32) / points()) | 1;
  constexpr std::uint64_t kBlock = 4096;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32 && !HasFatalFailure(); bits += kBlock * step) {
    std::vector<float> a;
    std::vector<double> references;
    for (std::uint64_t k = bits; k < bits + kBlock * step; k += step)
      a.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(k)));
    for (const float x : a) references.push_back(c_library(f.op, x, x));
    for_targets([&](const Table& table) {
      const std::vector<float> got = run(table, f.op, a, a);
      for (std::size_t i = 0; i < a.size(); ++i) {
        // Correctly rounded, as nearly all are, is within every bound.
        if (same(got[i], static_cast<float>(references[i]))) continue;
        ASSERT_LE(float_error(f.op, a[i], a[i], got[i], references[i]), f.bound32)
            << f.name << "(" << text_of(a[i]) << ") = " << text_of(got[i]) << " under " << table.target;
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Maths, ::testing::ValuesIn(kFunctions),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace penstock::kernel
