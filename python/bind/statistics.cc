// SPDX-License-Identifier: Apache-2.0
// What penstock._statistics is made of.

#include "penstock/array/statistics.h"

#include <nanobind/stl/vector.h>

#include "bind.h"

namespace penstock::bind {

void bind_statistics(nb::module_& m) {
  m.def(
      "order_statistics",
      [](const Array& x, const std::vector<std::int64_t>& ranks, bool poison) {
        return order_statistics(x, ranks, poison);
      },
      nb::arg("x"), nb::arg("ranks"), nb::arg("poison"),
      "Along the last axis the elements at ascending ranks of the sorted ones; with `poison`, NaN gives NaN.");
  m.def(
      "distinct", [](const Array sorted) { return unlocked([&] { return distinct(sorted); }); }, nb::arg("sorted"),
      "A sorted vector without the elements equal to the one before; evaluated.");
  m.def(
      "bin_sums",
      [](const Array& places, const std::optional<Array>& weights, std::int64_t bins) {
        return bin_sums(places, weights, bins);
      },
      nb::arg("places"), nb::arg("weights").none(), nb::arg("bins"),
      "How many of the places are each of range(bins), or the float64 sums of their weights, in their order.");
}

}  // namespace penstock::bind
