// SPDX-License-Identifier: Apache-2.0
// __signature__ of functions and methods, which inspect.signature() and editors ask for. penstock/_signatures.py makes
// it of the text that the type stubs have, when somebody asks.

#include "bind.h"

namespace penstock::bind {
namespace {

template <bool bound>
nb::object signature_of(nb::handle function) {
  return nb::module_::import_("penstock._signatures").attr("signature_of")(function, bound);
}

/// The classes of functions refuse attributes from outside, but they are this extension's own.
template <bool bound>
void give(nb::handle function) {
  PyTypeObject* type = Py_TYPE(function.ptr());
  const nb::object property = nb::module_::import_("builtins").attr("property")(nb::cpp_function(&signature_of<bound>));
  if (PyDict_SetItemString(type->tp_dict, "__signature__", property.ptr()) != 0) throw nb::python_error();
  PyType_Modified(type);
}

}  // namespace

void bind_signatures(nb::module_& m) {
  give<false>(m.attr("add"));
  give<false>(m.attr("Array").attr("tolist"));
  give<true>(m.attr("full")(nb::tuple(), 0).attr("tolist"));
}

}  // namespace penstock::bind
