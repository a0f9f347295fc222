// SPDX-License-Identifier: Apache-2.0
// Sorting against the standard library's stable algorithms, for every dtype that has an order.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "penstock/base/expect_error.h"
#include "penstock/base/temporary_directory.h"
#include "penstock/memory/governor.h"
#include "penstock/run/settings.h"
#include "penstock/run/sort.h"

namespace penstock::run {
namespace {

template <class T>
bool before(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a < b || (b != b && a == a);
  else
    return a < b;
}

template <class T>
bool descends(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a || b != b) return b != b && a == a;
  }
  return a > b;
}

template <class F>
void for_sortable(DType dtype, const F& f) {
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_arithmetic_v<T>) f.template operator()<T>();
  });
}

Plain plain_sort(Sorted what, const Plain& x, std::int64_t rows, std::int64_t n, bool descending) {
  Plain out(what == Sorted::kValues ? x.dtype : DType::k_int64, {rows, n});
  for_sortable(x.dtype, [&]<class T>() {
    for (std::int64_t r = 0; r < rows; ++r) {
      const T* row = x.as<T>() + r * n;
      std::vector<std::int64_t> places(static_cast<std::size_t>(n));
      std::iota(places.begin(), places.end(), 0);
      std::stable_sort(places.begin(), places.end(), [&](std::int64_t i, std::int64_t j) {
        return descending ? descends(row[i], row[j]) : before(row[i], row[j]);
      });
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t place = places[static_cast<std::size_t>(i)];
        if (what == Sorted::kValues)
          out.as<T>()[r * n + i] = row[place];
        else
          out.as<std::int64_t>()[r * n + i] = place;
      }
    }
  });
  return out;
}

Plain sorted(Sorted what, const graph::NodeRef& x, std::int64_t rows, std::int64_t n, bool descending) {
  const DType result = what == Sorted::kValues ? x->dtype : DType::k_int64;
  return evaluated(graph::make_operator(result, {rows, n}, make_sort(what, x->dtype, rows, n, descending), {x}));
}

/// Random bits, special values among them, each of some again and again.
Plain mixed(DType dtype, const Dims& shape) {
  Plain x = random_plain(dtype, shape, 5);
  const Plain few = random_plain(dtype, {7}, 9);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    if (i % 3 == 0) std::memcpy(x.at(i), few.at(i % 7), static_cast<std::size_t>(size_of(dtype)));
  }
  return x;
}

struct Rows {
  std::int64_t rows;
  std::int64_t n;
};
const Rows kRows[] = {{0, 3}, {3, 0}, {1, 1}, {4, 2}, {50, 33}, {2, 5'000}, {1, 70'001}};

TEST(Sort, EachDtypeBothWays) {
  for (int t = 0; t < kDTypeCount; ++t) {
    const auto dtype = static_cast<DType>(t);
    if (!can_sort(dtype)) continue;
    for (const Rows& r : kRows) {
      const Plain x = mixed(dtype, {r.rows, r.n});
      for (const bool descending : {false, true}) {
        for (const Sorted what : {Sorted::kValues, Sorted::kPlaces}) {
          EXPECT_EQ(difference(sorted(what, node_of(x), r.rows, r.n, descending),
                               plain_sort(what, x, r.rows, r.n, descending)),
                    "")
              << name_of(dtype) << " " << r.rows << " x " << r.n << " " << descending << static_cast<int>(what);
        }
      }
    }
  }
}

TEST(Sort, ComplexNumbersHaveNoOrder) {
  EXPECT_FALSE(can_sort(DType::k_complex64));
  EXPECT_FALSE(can_sort(DType::k_float16));
}

TEST(Sort, ZerosKeepTheirOrder) {
  const Plain x = plain_of<double>({1, 6}, {0.0, -0.0, 1.0, 0.0, -1.0, -0.0});
  EXPECT_EQ(difference(sorted(Sorted::kValues, node_of(x), 1, 6, false),
                       plain_of<double>({1, 6}, {-1.0, 0.0, -0.0, 0.0, -0.0, 1.0})),
            "");
  EXPECT_EQ(
      difference(sorted(Sorted::kPlaces, node_of(x), 1, 6, true), plain_of<std::int64_t>({1, 6}, {2, 0, 1, 3, 5, 4})),
      "");
}

TEST(Sort, SeveralThreadsSortALineTogether) {
  constexpr std::int64_t kN = 140'007;
  for (const DType dtype : {DType::k_int8, DType::k_uint16, DType::k_float32, DType::k_int64}) {
    const Plain x = mixed(dtype, {1, kN});
    for (const int threads : {2, 3, 4, 5}) {
      const ThreadSetting setting(threads);
      for (const Sorted what : {Sorted::kValues, Sorted::kPlaces}) {
        EXPECT_EQ(difference(sorted(what, node_of(x), 1, kN, false), plain_sort(what, x, 1, kN, false)), "")
            << name_of(dtype) << " " << threads;
      }
    }
  }
}

TEST(Sort, LinesOfFewValuesAndSortedOnes) {
  constexpr std::int64_t kN = 200'003;
  Plain one(DType::k_float32, {1, kN});
  Plain few(DType::k_float32, {1, kN});
  Plain rising(DType::k_float32, {1, kN});
  Plain falling(DType::k_float32, {1, kN});
  for (std::int64_t i = 0; i < kN; ++i) {
    one.as<float>()[i] = 7;
    few.as<float>()[i] = static_cast<float>(i % 97 == 0 ? i % 5 : 3);
    rising.as<float>()[i] = static_cast<float>(i);
    falling.as<float>()[i] = static_cast<float>(-i);
  }
  for (const int threads : {2, 4}) {
    const ThreadSetting setting(threads);
    for (const Plain* x : {&one, &few, &rising, &falling}) {
      for (const Sorted what : {Sorted::kValues, Sorted::kPlaces}) {
        EXPECT_EQ(difference(sorted(what, node_of(*x), 1, kN, false), plain_sort(what, *x, 1, kN, false)), "");
      }
    }
  }
}

TEST(Sort, LinesOfManyValues) {
  constexpr std::int64_t kN = 150'001;
  for (const DType dtype : {DType::k_uint16, DType::k_int32, DType::k_float32, DType::k_float64}) {
    const Plain x = random_plain(dtype, {1, kN}, 3);
    for (const int threads : {2, 3, 5}) {
      const ThreadSetting setting(threads);
      for (const bool descending : {false, true}) {
        for (const Sorted what : {Sorted::kValues, Sorted::kPlaces}) {
          EXPECT_EQ(difference(sorted(what, node_of(x), 1, kN, descending), plain_sort(what, x, 1, kN, descending)), "")
              << name_of(dtype) << " " << threads << descending << static_cast<int>(what);
        }
      }
    }
  }
}

TEST(Sort, ALineWhosePivotMisleads) {
  constexpr std::int64_t kN = 150'001;
  Plain x(DType::k_int32, {1, kN});
  // The places that a pivot is drawn from are far from the others: one half has almost all.
  for (std::int64_t i = 0; i < kN; ++i) x.as<std::int32_t>()[i] = static_cast<std::int32_t>((i * 7919) % kN);
  constexpr double kGolden = 0.6180339887498949;
  double at = 0;
  for (std::int32_t i = 0; i < 4096; ++i) {
    at += at + kGolden < 1 ? kGolden : kGolden - 1;
    x.as<std::int32_t>()[static_cast<std::int64_t>(at * kN)] = 1'000'000 + i * 1000;
  }
  const ThreadSetting setting(2);
  for (const Sorted what : {Sorted::kValues, Sorted::kPlaces})
    EXPECT_EQ(difference(sorted(what, node_of(x), 1, kN, false), plain_sort(what, x, 1, kN, false)), "");
}

TEST(Sort, IntoMemoryAtAnyByte) {
  constexpr std::int64_t kN = 40'000;
  for (const std::int64_t rows : {1, 3}) {
    const Plain x = random_plain(DType::k_float32, {rows, kN}, 3);
    Request request = request_of(
        graph::make_operator(x.dtype, {rows, kN}, make_sort(Sorted::kValues, x.dtype, rows, kN, false), {node_of(x)}));
    request.destination.kind = Destination::Kind::kMemory;
    request.destination.memory = memory::share(memory::Buffer::allocate(4 * rows * kN + 1, "a test"));
    request.destination.layout = {{rows, kN}, {4 * kN, 4}, 1};
    evaluate({request});
    EXPECT_EQ(difference(plain_in(request.destination.memory->data(), request.destination.layout, x.dtype),
                         plain_sort(Sorted::kValues, x, rows, kN, false)),
              "");
  }
}

TEST(Sort, KeysTakeNoRoomBesideTheResultWhereTheyFitIntoIt) {
  constexpr std::int64_t kN = 1 << 20;
  const Plain x = random_plain(DType::k_float32, {1, kN}, 3);
  const graph::NodeRef node = node_of(x);
  const ThreadSetting two(2);
  const EnvSetting scratch("PENSTOCK_SCRATCH", "/nonexistent");
  // The result, a packed row, and where runs are merged: four MiB each.
  const BudgetSetting budget(memory::Governor::instance().used() + (13 << 20));
  EXPECT_EQ(difference(sorted(Sorted::kValues, node, 1, kN, false), plain_sort(Sorted::kValues, x, 1, kN, false)), "");
  EXPECT_THROW(sorted(Sorted::kPlaces, node, 1, kN, false), Error);
}

TEST(Sort, ColumnsAndRowsApart) {
  const Plain x = mixed(DType::k_float64, {40, 3'000});
  EXPECT_EQ(difference(sorted(Sorted::kValues, transposed_node_of(x), 40, 3'000, false),
                       plain_sort(Sorted::kValues, x, 40, 3'000, false)),
            "");
}

/// Sorts a file within a budget that has no room for a row, into another file.
Plain sorted_in_passes(Sorted what, const Plain& x, std::int64_t budget, bool descending) {
  const TemporaryDirectory directory;
  const EnvSetting scratch("PENSTOCK_SCRATCH", directory.path(""));
  const std::int64_t rows = x.shape[0];
  const std::int64_t n = x.shape[1];
  const graph::NodeRef file = file_node(directory.put("x.npy", npy_text(x)));
  const graph::NodeRef node = graph::make_operator(what == Sorted::kValues ? x.dtype : DType::k_int64, x.shape,
                                                   make_sort(what, x.dtype, rows, n, descending), {file});
  {
    const BudgetSetting setting(memory::Governor::instance().used() + budget);
    const Request request = request_to_file(node, directory.path("out.npy"));
    evaluate({request});
    request.destination.sink->commit();
  }
  return evaluated(file_node(directory.path("out.npy")));
}

TEST(SortInPasses, WhatMemoryHasNoRoomFor) {
  constexpr std::int64_t kBudget = 1 << 21;  // pieces of some 90,000 float32, few of which are merged at once
  for (const DType dtype : {DType::k_int8, DType::k_float32, DType::k_float64, DType::k_uint64}) {
    const Plain x = mixed(dtype, {1, 700'003});
    for (const int threads : {1, 2}) {
      const ThreadSetting setting(threads);
      for (const Sorted what : {Sorted::kValues, Sorted::kPlaces}) {
        const bool descending = threads == 2;
        EXPECT_EQ(
            difference(sorted_in_passes(what, x, kBudget, descending), plain_sort(what, x, 1, 700'003, descending)), "")
            << name_of(dtype) << " " << threads << " " << static_cast<int>(what);
      }
    }
  }
}

TEST(SortInPasses, SeveralRowsAndFewDifferentValues) {
  const ThreadSetting two(2);
  Plain x(DType::k_float32, {2, 400'000});
  for (std::int64_t i = 0; i < x.size(); ++i) x.as<float>()[i] = i % 3 == 0 ? -0.0F : static_cast<float>(i % 2);
  for (const Sorted what : {Sorted::kValues, Sorted::kPlaces}) {
    EXPECT_EQ(difference(sorted_in_passes(what, x, 3 << 19, false), plain_sort(what, x, 2, 400'000, false)), "");
  }
}

TEST(SortInPasses, NeedsAtLeast) {
  const Plain x = mixed(DType::k_float32, {1, 700'003});
  EXPECT_ERROR(BudgetError, "sort needs at least", sorted_in_passes(Sorted::kValues, x, 1 << 19, false));
}

}  // namespace
}  // namespace penstock::run
