// SPDX-License-Identifier: Apache-2.0
// __signature__ of functions and methods, which inspect.signature() and editors ask for, and what is said of a call
// that fits no signature. penstock/_signatures.py makes both of the text that the type stubs have, when they are
// wanted.

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <utility>

#include "bind.h"
#include "penstock/base/error.h"
#include "slots.h"

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

/// What pickle stores of a function: its name, by which it is found in the module; of a bound method, how it was got.
nb::object reduced(nb::handle function) { return function.attr("__qualname__"); }

nb::object reduced_method(nb::handle method) {
  return nb::make_tuple(nb::module_::import_("builtins").attr("getattr"),
                        nb::make_tuple(method.attr("__self__"), method.attr("__name__")));
}

void give_reduce(nb::handle function, nb::object (*reduce)(nb::handle)) {
  PyTypeObject* type = Py_TYPE(function.ptr());
  const nb::object method = nb::cpp_function(reduce, nb::is_method());
  if (PyDict_SetItemString(type->tp_dict, "__reduce__", method.ptr()) != 0) throw nb::python_error();
  PyType_Modified(type);
}

/// The error of a call whose arguments the binding library could not convert, in the place of its own, which is set.
void explain(PyObject* function, PyObject* const* arguments, Py_ssize_t n, PyObject* names) {
  nb::python_error said;  // takes the error
  if (str_text(said.value()).find("(): incompatible function arguments.") == std::string::npos) return said.restore();
  nb::object given = nb::steal(PyTuple_New(n));
  for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(given.ptr(), i, Py_NewRef(arguments[i]));
  nb::dict named;
  for (Py_ssize_t i = 0; names != nullptr && i < PyTuple_GET_SIZE(names); ++i) {
    named[nb::handle(PyTuple_GET_ITEM(names, i))] = nb::handle(arguments[n + i]);
  }
  const nb::object error = nb::module_::import_("penstock._signatures")
                               .attr("refusal")(nb::handle(function), nb::handle(given), nb::handle(named));
  if (error.is_none()) return said.restore();
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
}

/// What CPython called: the binding library has a few functions for all that it binds.
std::array<vectorcallfunc, 16> usual = {};

template <std::size_t i>
PyObject* called(PyObject* self, PyObject* const* arguments, std::size_t flagged, PyObject* names) {
  PyObject* result = usual[i](self, arguments, flagged, names);
  if (result != nullptr || PyErr_Occurred() != PyExc_TypeError) return result;
  return guarded([&]() -> PyObject* {
    explain(self, arguments, PyVectorcall_NARGS(flagged), names);
    return nullptr;
  });
}

template <std::size_t... i>
constexpr std::array<vectorcallfunc, sizeof...(i)> callers(std::index_sequence<i...>) {
  return {&called<i>...};
}

/// Lets the functions among the values of a dictionary explain what they refuse.
void explain_refusals(PyObject* dict, std::initializer_list<PyTypeObject*> classes) {
  static constexpr auto kCallers = callers(std::make_index_sequence<usual.size()>());
  PyObject* value = nullptr;
  for (Py_ssize_t place = 0; PyDict_Next(dict, &place, nullptr, &value) != 0;) {
    if (std::find(classes.begin(), classes.end(), Py_TYPE(value)) == classes.end()) continue;
    vectorcallfunc& call = vectorcall_of(value);
    const auto known = std::find_if(usual.begin(), usual.end(), [&](vectorcallfunc f) { return !f || f == call; });
    PENSTOCK_CHECK(known != usual.end(), "the binding library calls in more ways than were thought of");
    *known = call;
    call = kCallers[static_cast<std::size_t>(known - usual.begin())];
  }
}

}  // namespace

void bind_signatures(nb::module_& m) {
  const nb::object cls = m.attr("Array");
  const auto kinds = {Py_TYPE(nb::object(m.attr("full")).ptr()), Py_TYPE(nb::object(cls.attr("tolist")).ptr())};
  explain_refusals(PyModule_GetDict(m.ptr()), kinds);
  explain_refusals(array_class->tp_dict, kinds);
  give_reduce(m.attr("add"), &reduced);
  give_reduce(cls.attr("tolist"), &reduced);
  give_reduce(m.attr("full")(nb::tuple(), 0).attr("tolist"), &reduced_method);
  give<false>(m.attr("add"));
  give<false>(m.attr("Array").attr("tolist"));
  give<true>(m.attr("full")(nb::tuple(), 0).attr("tolist"));
}

}  // namespace penstock::bind
