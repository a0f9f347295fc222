// SPDX-License-Identifier: Apache-2.0
// What each operation means, under every target: real dtypes against the plain expressions of reference.h, over all
// pairs of special values and random ones, and quotients where they are delicate.
#include <cmath>
#include <memory>

#include "gtest/gtest.h"
#include "penstock/kernel/element.h"
#include "penstock/kernel/elsewhere.h"
#include "penstock/kernel/reference.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

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

/// Whether the operation has a reference to be compared with.
template <class T>
bool check(Op op) {
  const Operands<T> x(static_cast<std::uint64_t>(index_of(op)));
  const void* in[] = {x.values[0].get(), x.values[1].get(), x.values[2].get()};
  const bool to_bool = row(op).result == Result::kBool;
  bool compared = true;
  for_targets([&](const Table& table) {
    Operand out(x.n, sizeof(T));
    table.elementwise[index_of(op)][index_of(kDTypeOf<T>)](in, out.data(), x.n);
    for (std::int64_t i = 0; i < x.n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const T a = x.values[0][at];
      const T b = x.values[1][at];
      const T c = x.values[2][at];
      const T got = to_bool ? static_cast<T>(out.as<std::uint8_t>()[i]) : out.as<T>()[i];
      const std::optional<T> expected = reference<T>(op, a, b, c);
      compared = expected.has_value();
      if (!compared) return;
      ASSERT_TRUE(same(got, *expected)) << row(op).name << "(" << text_of(a) << ", " << text_of(b) << ", " << text_of(c)
                                        << ") of " << name_of(kDTypeOf<T>) << " = " << text_of(got) << " under "
                                        << table.target << ", expected " << text_of(*expected);
    }
  });
  return compared;
}

TEST(Semantics, RealDtypesGiveThePlainExpression) {
  int compared = 0;
  for (int i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    if (op == Op::k_where) continue;
    for (int j = 0; j < kDTypeCount; ++j) {
      const DType t = static_cast<DType>(j);
      if (kind_of(t) == Kind::kComplex || is_elsewhere(op, t) || table().elementwise[i][j] == nullptr) continue;
      visit(t, [&]<class T>() {
        if constexpr (std::is_arithmetic_v<T>) compared += check<T>(op) ? 1 : 0;
      });
    }
  }
  // Operations by dtypes; rows added since may go without a reference, none may lose it.
  EXPECT_GE(compared, 365);
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
        ASSERT_EQ(got[i], static_cast<T>(*integer_reference<T>(op, a[i], b[i], 0)))
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

/// Whole blocks of float quotients next to whole numbers, which take the short way, and blocks with one that can't.
template <class T>
void check_float_quotients() {
  std::vector<T> a;
  std::vector<T> b;
  std::mt19937_64 random(7);
  for (int i = 0; i < 64 * 400; ++i) {
    const T y = static_cast<T>(
        std::ldexp(static_cast<double>(random() >> 11) * 0x1p-53 + 0.5, static_cast<int>(random() % 20)));
    const T k = static_cast<T>(random() >> (40 + random() % 24));
    T x = k * y;
    if (random() % 2 == 0) x = std::nextafter(x, random() % 2 == 0 ? T(-1) : T(1e30));
    if (random() % 4 == 0) x = static_cast<T>(static_cast<double>(random() >> 40));
    a.push_back(random() % 2 == 0 ? x : -x);
    b.push_back(random() % 2 == 0 ? y : -y);
  }
  a[64 * 50 + 3] = static_cast<T>(kInf);
  b[64 * 60 + 5] = 0;
  a[64 * 70 + 7] = static_cast<T>(1e30);
  // Quotients of 25 to 60 bits.
  for (std::size_t i = 0; i < 35; ++i)
    a[64 * (80 + i) + i] = static_cast<T>(std::ldexp(1.7654321, static_cast<int>(25 + i)));
  const void* in[] = {a.data(), b.data(), nullptr};
  for_targets([&](const Table& table) {
    for (const Op op : {Op::k_floor_divide, Op::k_remainder}) {
      std::vector<T> got(a.size());
      table.elementwise[index_of(op)][index_of(kDTypeOf<T>)](in, got.data(), static_cast<std::int64_t>(a.size()));
      for (std::size_t i = 0; i < a.size(); ++i) {
        const T expected = *float_reference<T>(op, a[i], b[i], 0);
        ASSERT_TRUE(same(got[i], expected))
            << row(op).name << "(" << text_of(a[i]) << ", " << text_of(b[i]) << ") = " << text_of(got[i]) << " under "
            << table.target << ", expected " << text_of(expected);
      }
    }
  });
}

TEST(Semantics, FloatQuotientsNextToWholeNumbers) {
  check_float_quotients<float>();
  check_float_quotients<double>();
}

}  // namespace
}  // namespace penstock::kernel
