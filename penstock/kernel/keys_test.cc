// SPDX-License-Identifier: Apache-2.0
// Coding elements as keys, and dividing keys by a pivot, under every target.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"
#include "penstock/kernel/sort_key.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

template <class K>
void check(const Table& table, std::int64_t n, std::int64_t skew, K mask, bool equal) {
  std::mt19937_64 random(static_cast<std::uint64_t>(n));
  std::vector<K> keys;
  for (std::int64_t i = 0; i < n; ++i) keys.push_back(static_cast<K>(random()) & mask);
  Operand x(n, sizeof(K), skew);
  std::copy(keys.begin(), keys.end(), x.as<K>());
  const std::int64_t room = n + kDivideSlack / static_cast<std::int64_t>(sizeof(K));
  for (const K pivot : {K(0), static_cast<K>(mask / 2), mask}) {
    std::vector<K> wanted = keys;
    const auto middle =
        std::stable_partition(wanted.begin(), wanted.end(), [&](K k) { return equal ? k <= pivot : k < pivot; });
    Operand low(room, sizeof(K), skew);
    Operand high(room, sizeof(K), skew);
    const std::int64_t lower =
        table.divide[std::countr_zero(sizeof(K))](x.data(), n, &pivot, equal, low.data(), high.data());
    EXPECT_EQ(lower, middle - wanted.begin()) << n << " under " << table.target;
    EXPECT_TRUE(std::equal(wanted.begin(), middle, low.as<K>())) << n << " under " << table.target;
    EXPECT_TRUE(std::equal(middle, wanted.end(), high.as<K>())) << n << " under " << table.target;
    EXPECT_TRUE(low.intact() && high.intact() && x.intact());
  }
}

/// Special values again and again, in a length that no vector divides.
template <class T>
std::vector<T> elements() {
  const std::vector<T> some = special_values<T>();
  std::vector<T> all;
  for (std::size_t i = 0; i < 151; ++i) all.push_back(some[i * i % some.size()]);
  return all;
}

template <class T>
bool sorts_before(T a, T b, bool descending) {
  if (a != a || b != b) return a == a && b != b;
  return descending ? b < a : a < b;
}

template <class T>
void check_coding(const Table& table, DType dtype, bool descending) {
  using K = Key<T>;
  const std::vector<T> values = elements<T>();
  const auto n = static_cast<std::int64_t>(values.size());
  Operand x(n, sizeof(T), 1);
  std::copy(values.begin(), values.end(), x.as<T>());
  Operand keys(n, sizeof(K), 1);
  const Coding& coding = table.coding[descending ? 1 : 0][index_of(dtype)];
  const bool zeros = coding.encode(x.data(), n, 0, keys.data());
  EXPECT_EQ(zeros, std::any_of(values.begin(), values.end(), [](T v) { return v == T(0) && std::signbit(double(v)); }));
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      if (!sorts_before(x.as<T>()[i], x.as<T>()[j], descending)) continue;
      EXPECT_LT(keys.as<K>()[i], keys.as<K>()[j]) << name_of(dtype) << " under " << table.target;
    }
  }
  coding.decode(keys.data(), n, keys.data());  // where they are
  for (std::int64_t i = 0; i < n; ++i) {
    const T back = keys.as<T>()[i];
    const T was = x.as<T>()[i];
    EXPECT_TRUE(back == was || (back != back && was != was)) << name_of(dtype) << " under " << table.target;
  }
  EXPECT_TRUE(keys.intact() && x.intact());
}

TEST(Coding, KeysHaveTheOrderOfTheElements) {
  for_targets([](const Table& table) {
    for (int t = 0; t < kDTypeCount; ++t) {
      const auto dtype = static_cast<DType>(t);
      visit(dtype, [&]<class T>() {
        if constexpr (kSorts<T>) {
          for (const bool descending : {false, true}) check_coding<T>(table, dtype, descending);
        }
      });
    }
  });
}

TEST(Divide, EachSizeOfKeys) {
  for_targets([](const Table& table) {
    for (const std::int64_t skew : {0, 1}) {
      for (const bool equal : {false, true}) {
        // Keys of all bits, the sign's among them, and few ones, which equal the pivot again and again.
        for (const std::int64_t n : sizes_for(2)) {
          check<std::uint16_t>(table, n, skew, 0xffff, equal);
          check<std::uint16_t>(table, n, skew, 3, equal);
        }
        for (const std::int64_t n : sizes_for(4)) {
          check<std::uint32_t>(table, n, skew, ~std::uint32_t{0}, equal);
          check<std::uint32_t>(table, n, skew, 3, equal);
        }
        for (const std::int64_t n : sizes_for(8)) {
          check<std::uint64_t>(table, n, skew, ~std::uint64_t{0}, equal);
          check<std::uint64_t>(table, n, skew, 3, equal);
        }
      }
    }
  });
}

}  // namespace
}  // namespace penstock::kernel
