// SPDX-License-Identifier: Apache-2.0
// Looking up elements in sorted ones, against the standard library, whole and in windows.
#include <gtest/gtest.h>

#include <algorithm>

#include "penstock/base/temporary_directory.h"
#include "penstock/memory/governor.h"
#include "penstock/run/search.h"
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

template <class F>
void for_sortable(DType dtype, const F& f) {
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_arithmetic_v<T>) f.template operator()<T>();
  });
}

/// Random elements, many of which are equal.
Plain mixed(DType dtype, const Dims& shape) {
  Plain x = random_plain(dtype, shape, 5);
  const Plain few = random_plain(dtype, {7}, 9);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    if (i % 3 == 0) std::memcpy(x.at(i), few.at(i % 7), static_cast<std::size_t>(size_of(dtype)));
  }
  return x;
}

constexpr Sought kEverySought[] = {Sought::kBefore, Sought::kUpTo, Sought::kWhether};

Plain plain_search(const Plain& sorted, const Plain& q, Sought sought) {
  Plain out(sought == Sought::kWhether ? DType::k_bool : DType::k_int64, q.shape);
  for_sortable(q.dtype, [&]<class T>() {
    const T* begin = sorted.as<T>();
    const T* end = begin + sorted.size();
    for (std::int64_t i = 0; i < q.size(); ++i) {
      const T value = q.as<T>()[i];
      const T* low = std::lower_bound(begin, end, value, &before<T>);
      if (sought == Sought::kWhether)
        out.as<bool>()[i] = low != end && *low == value;
      else
        out.as<std::int64_t>()[i] =
            (sought == Sought::kBefore ? low : std::upper_bound(begin, end, value, &before<T>)) - begin;
    }
  });
  return out;
}

Plain sorted_line(const Plain& x) {
  Plain line = x;
  for_sortable(x.dtype, [&]<class T>() { std::stable_sort(line.as<T>(), line.as<T>() + line.size(), &before<T>); });
  return line;
}

graph::NodeRef search_node(const graph::NodeRef& sorted, const graph::NodeRef& q, Sought sought) {
  const DType result = sought == Sought::kWhether ? DType::k_bool : DType::k_int64;
  return graph::make_operator(result, q->shape, make_search(q->dtype, sorted->size(), q->size(), sought), {sorted, q});
}

TEST(Search, CountsWhatLiesBeforeAndFindsMembers) {
  for (int t = 0; t < kDTypeCount; ++t) {
    const auto dtype = static_cast<DType>(t);
    if (!can_sort(dtype)) continue;
    for (const std::int64_t n : {0, 1, 2, 3, 8, 1'001}) {
      const Plain sorted = sorted_line(mixed(dtype, {n}));
      const Plain q = mixed(dtype, {20'011});
      for (const Sought sought : kEverySought) {
        EXPECT_EQ(
            difference(evaluated(search_node(node_of(sorted), node_of(q), sought)), plain_search(sorted, q, sought)),
            "")
            << name_of(dtype) << " " << n << " " << static_cast<int>(sought);
      }
    }
  }
}

TEST(Search, SortedElementsThatMemoryHasNoRoomFor) {
  const TemporaryDirectory directory;
  for (const DType dtype : {DType::k_int16, DType::k_float64}) {
    const Plain sorted = sorted_line(mixed(dtype, {400'003}));
    const Plain q = mixed(dtype, {70'001});
    const graph::NodeRef file = file_node(directory.put("x.npy", npy_text(sorted)));
    for (const Sought sought : kEverySought) {
      const graph::NodeRef node = search_node(file, node_of(q), sought);
      {
        const BudgetSetting budget(memory::Governor::instance().used() + (3 << 19));
        const Request request = request_to_file(node, directory.path("out.npy"));
        evaluate({request});
        request.destination.sink->commit();
      }
      EXPECT_EQ(difference(evaluated(file_node(directory.path("out.npy"))), plain_search(sorted, q, sought)), "")
          << name_of(dtype) << " " << static_cast<int>(sought);
    }
  }
}

}  // namespace
}  // namespace penstock::run
