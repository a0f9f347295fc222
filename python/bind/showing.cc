// SPDX-License-Identifier: Apache-2.0
// What repr may show of an array without a pass over anything (penstock/_showing.py makes the text).

#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"
#include "penstock/base/text.h"
#include "slots.h"
#include "walk.h"

namespace penstock::bind {
namespace {

/// "values" where everything is small and no file is read; "corner" where elements are in memory or are computed one
/// by one from such; else "nothing": files, and what takes a pass over its operands.
const char* shown_of(const Array& array) {
  constexpr std::int64_t kShown = 1000;
  constexpr std::int64_t kSmall = 1 << 20;
  const bool few = array.size() <= kShown;
  const std::lock_guard lock(graph::graph_mutex());
  if (graph::resident(*array.node())) return few ? "values" : "corner";
  bool small = few;
  bool one_by_one = true;
  walk(array, [&](const graph::Node& node) {
    const bool file = node.as<graph::InFile>() != nullptr;
    small = small && node.bytes() <= kSmall && !file;
    one_by_one = one_by_one && !file && !node.as<graph::Reduce>() && !node.as<graph::Histogram>() &&
                 !node.as<graph::Pieces>() && !node.as<graph::Operate>();
  });
  return small ? "values" : one_by_one ? "corner" : "nothing";
}

std::string state_of(const Array& array) {
  const std::lock_guard lock(graph::graph_mutex());
  return graph::resident(*array.node()) ? "in memory" : cat("lazy: ", graph::node_text(*array.node()));
}

}  // namespace

void bind_showing(nb::module_& m, ArrayClass& cls) {
  m.def("shown_of", &shown_of, nb::arg("x"),
        "'values', 'corner' or 'nothing': what of the elements is seen without a pass over anything.");
  m.def("state_of", &state_of, nb::arg("x"), "'in memory', or the operation that is yet to be done.");
  m.def("bytes_text", &bytes_text, nb::arg("bytes"), "A number of bytes for people: '1.9 GiB'.");
  const auto shows = [](const char* name) {
    return [name](const nb::object& self) {
      return nb::cast<std::string>(nb::module_::import_("penstock._showing").attr(name)(self));
    };
  };
  cls.def("__repr__", shows("text"), doc_of("Array.__repr__").c_str());
  cls.def("_repr_html_", shows("html"), doc_of("Array._repr_html_").c_str());
  cls.def(
      "_repr_inline_",
      [](const nb::object& self, int width) {
        return nb::cast<std::string>(nb::module_::import_("penstock._showing").attr("inline")(self, width));
      },
      nb::arg("max_width"), doc_of("Array._repr_inline_").c_str(),
      nb::sig("def _repr_inline_(self, max_width: int) -> str"));
}

}  // namespace penstock::bind
