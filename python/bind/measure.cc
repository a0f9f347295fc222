// SPDX-License-Identifier: Apache-2.0
// Latencies and traces, as penstock/_latencies.py and penstock/_trace.py have them.

#include <utility>

#include "bind.h"
#include "penstock/measure/histogram.h"
#include "penstock/measure/latencies.h"
#include "penstock/measure/trace.h"

namespace penstock::bind {

using measure::Counts;

void bind_measure(nb::module_& m) {
  nb::class_<Counts>(m, "Counts", "Counted values of one kind.")
      .def_prop_ro("n", &Counts::n, "How many there are.")
      .def("percentile", &Counts::percentile, nb::arg("q"),
           "The value at rank ceil(q n), at most 1 % off; None where there are fewer than 1 / (1 - q).")
      .def(
          "__sub__",
          [](const Counts& self, const Counts& earlier) {
            Counts found = self;
            found.subtract(earlier);
            return found;
          },
          nb::arg("earlier"), "Those that came after `earlier`.");
  m.def(
      "latency_counts",
      [] {
        nb::dict found;
        for (auto& [name, counts] : measure::latency_counts()) found[name] = std::move(counts);
        return found;
      },
      "Durations in nanoseconds of each step that has latencies.",
      nb::sig("def latency_counts() -> dict[str, Counts]"));
  m.def(
      "start_trace", [] { return measure::start_trace(); },
      "Records spans from now on; False when spans are recorded already.");
  m.def(
      "stop_trace", [] { return unlocked([] { return measure::stop_trace(); }); },
      "Stops recording; the spans as Chrome's trace JSON.");
}

}  // namespace penstock::bind
