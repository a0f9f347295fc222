// SPDX-License-Identifier: Apache-2.0
// The thresholds that ps.tune() measures.
#include "penstock/run/tuning.h"
#include "penstock/base/machine.h"

#include "bind.h"
#include "docs.h"

namespace penstock::bind {
namespace {

nb::dict dict_of(const std::vector<std::pair<std::string, std::int64_t>>& rows) {
  nb::dict d;
  for (const auto& [name, bytes] : rows) d[name.c_str()] = bytes;
  return d;
}

}  // namespace

void bind_tuning(nb::module_& m) {
  m.def(
      "tuning", [] { return dict_of(run::tuned_rows()); }, doc_of("tuning").c_str(),
      nb::sig("def tuning() -> dict[str, int]"));
  m.def(
      "default_tuning", [] { return dict_of(run::default_rows(run::this_machine())); },
      nb::sig("def default_tuning() -> dict[str, int]"));
  m.def("set_tuned", &run::set_tuned, nb::arg("name"), nb::arg("bytes"));
  m.def("tuning_path", &run::tuning_path);
  m.def(
      "tuning_source",
      [] {
        const run::TuningSource source = run::tuning_source();
        return nb::make_tuple(source.from, source.note);
      },
      nb::sig("def tuning_source() -> tuple[str, str]"));
  m.def("machine_id", [] { return machine_id(); });
}

}  // namespace penstock::bind
