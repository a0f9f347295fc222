// SPDX-License-Identifier: Apache-2.0
// Order statistics against sorted elements, whole, together and in pieces; sums of bins against a plain loop.
#include "penstock/run/select.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "penstock/base/temporary_directory.h"
#include "penstock/run/distinct.h"
#include "penstock/run/settings.h"
#include "penstock/run/sort.h"

namespace penstock::run {
namespace {

template <class F>
void for_sortable(DType dtype, const F& f) {
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_arithmetic_v<T>) f.template operator()<T>();
  });
}

/// Random bits, special values among them, each of some again and again.
Plain mixed(DType dtype, const Dims& shape, bool nan) {
  Plain x = random_plain(dtype, shape, 5);
  const Plain few = random_plain(dtype, {7}, 9);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    if (i % 3 == 0) std::memcpy(x.at(i), few.at(i % 7), static_cast<std::size_t>(size_of(dtype)));
  }
  if (nan) return x;
  for_sortable(dtype, [&]<class T>() {
    if constexpr (std::is_floating_point_v<T>) {
      for (std::int64_t i = 0; i < x.size(); ++i) {
        if (T& value = x.as<T>()[i]; value != value) value = T(i % 5);
      }
    }
  });
  return x;
}

Plain plain_select(const Plain& x, std::int64_t rows, std::int64_t n, const std::vector<std::int64_t>& ranks,
                   bool poison) {
  Plain out(x.dtype, {rows, std::ssize(ranks)});
  for_sortable(x.dtype, [&]<class T>() {
    for (std::int64_t r = 0; r < rows; ++r) {
      std::vector<T> row(x.as<T>() + r * n, x.as<T>() + (r + 1) * n);
      std::sort(row.begin(), row.end(), [](T a, T b) {
        if constexpr (std::is_floating_point_v<T>) {
          if (a == 0 && b == 0) return std::signbit(a) && !std::signbit(b);
          return a < b || (b != b && a == a);
        } else {
          return a < b;
        }
      });
      for (std::size_t j = 0; j < ranks.size(); ++j) {
        T value = row[static_cast<std::size_t>(ranks[j])];
        if (poison && row.back() != row.back()) value = row.back();
        out.as<T>()[r * std::ssize(ranks) + static_cast<std::int64_t>(j)] = value;
      }
    }
  });
  return out;
}

std::vector<std::int64_t> some_ranks(std::int64_t n) {
  std::vector<std::int64_t> ranks{0, n / 7, n / 2, n / 2 + 1, n - 2, n - 1};
  std::erase_if(ranks, [n](std::int64_t rank) { return rank < 0 || rank >= n; });
  std::sort(ranks.begin(), ranks.end());
  ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
  return ranks;
}

graph::NodeRef selected(const graph::NodeRef& x, std::int64_t rows, std::int64_t n,
                        const std::vector<std::int64_t>& ranks, bool poison) {
  return graph::make_operator(x->dtype, {rows, std::ssize(ranks)}, make_select(x->dtype, rows, n, ranks, poison), {x});
}

struct Rows {
  std::int64_t rows;
  std::int64_t n;
};
const Rows kRows[] = {{0, 3}, {1, 1}, {4, 2}, {50, 33}, {3, 5'000}, {1, 300'001}};

TEST(Select, EachDtype) {
  for (int t = 0; t < kDTypeCount; ++t) {
    const auto dtype = static_cast<DType>(t);
    if (!can_sort(dtype)) continue;
    for (const auto& [rows, n] : kRows) {
      for (const bool poison : {false, true}) {
        const Plain x = mixed(dtype, {rows, n}, rows != 4);
        const auto ranks = some_ranks(n);
        EXPECT_EQ(difference(evaluated(selected(node_of(x), rows, n, ranks, poison)),
                             plain_select(x, rows, n, ranks, poison)),
                  "")
            << name_of(dtype) << " " << rows << " x " << n << (poison ? " poisoned" : "");
      }
    }
  }
}

TEST(Select, OneThreadAndStridedRows) {
  const ThreadSetting threads(1);
  const Plain x = mixed(DType::k_float32, {9'000, 5}, false);
  const Plain turned = plain::permute(x, {1, 0});
  const auto ranks = some_ranks(9'000);
  const graph::NodeRef node = transposed_node_of(turned);
  EXPECT_EQ(difference(evaluated(selected(node, 5, 9'000, ranks, true)), plain_select(turned, 5, 9'000, ranks, true)),
            "");
}

TEST(Select, RowsThatDoNotFitAreReadInPieces) {
  const TemporaryDirectory directory;
  for (const DType dtype : {DType::k_float64, DType::k_int16}) {
    const std::int64_t n = (16 << 20) / size_of(dtype) + 1;
    const Plain x = mixed(dtype, {2, n}, true);
    const graph::NodeRef node = file_node(directory.put("x.npy", npy_text(x)));
    const auto ranks = some_ranks(n);
    const BudgetSetting budget(memory::Governor::instance().used() + (12 << 20));
    EXPECT_EQ(difference(evaluated(selected(node, 2, n, ranks, false)), plain_select(x, 2, n, ranks, false)), "")
        << name_of(dtype);
  }
}

TEST(BinSums, CountsAndWeights) {
  constexpr std::int64_t kN = 50'000;
  Plain places(DType::k_int64, {kN});
  Plain weights(DType::k_float64, {kN});
  Plain counts(DType::k_int64, {10});
  Plain sums(DType::k_float64, {10});
  const auto at = [](Plain& x, std::int64_t i) { return reinterpret_cast<std::int64_t*>(x.at(i)); };
  const auto number = [](Plain& x, std::int64_t i) { return reinterpret_cast<double*>(x.at(i)); };
  for (std::int64_t i = 0; i < 10; ++i) *at(counts, i) = 0, *number(sums, i) = 0;
  for (std::int64_t i = 0; i < kN; ++i) {
    *at(places, i) = i * i % 13 - 1;
    *number(weights, i) = 1.0 / static_cast<double>(i + 1);
    if (const std::int64_t place = *at(places, i); place >= 0 && place < 10) {
      ++*at(counts, place);
      *number(sums, place) += *number(weights, i);
    }
  }
  const graph::NodeRef node = node_of(places);
  EXPECT_EQ(
      difference(evaluated(graph::make_operator(DType::k_int64, {10}, make_bin_sums(kN, 10, false), {node})), counts),
      "");
  const graph::NodeRef weighted =
      graph::make_operator(DType::k_float64, {10}, make_bin_sums(kN, 10, true), {node, node_of(weights)});
  EXPECT_EQ(difference(evaluated(weighted), sums), "");
}

TEST(Distinct, AsTheStandardLibraryHasIt) {
  for (int t = 0; t < kDTypeCount; ++t) {
    const auto dtype = static_cast<DType>(t);
    if (!can_sort(dtype)) continue;
    for (const std::int64_t n : {0, 1, 2, 3, 1'000, 200'003}) {
      const Plain x = mixed(dtype, {n}, true);
      for_sortable(dtype, [&]<class T>() {
        // In no order: equal neighbours are all that counts.
        std::vector<T> wanted(x.as<T>(), x.as<T>() + n);
        wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
        const std::vector<std::int64_t> counts = count_distinct(dtype, x.at(0), n);
        Plain got(dtype, {std::accumulate(counts.begin(), counts.end(), std::int64_t{0})});
        copy_distinct(dtype, x.at(0), n, counts, got.at(0));
        EXPECT_EQ(difference(got, plain_of<T>({std::ssize(wanted)}, wanted)), "") << name_of(dtype) << " " << n;
      });
    }
  }
}

}  // namespace
}  // namespace penstock::run
