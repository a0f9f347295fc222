// SPDX-License-Identifier: Apache-2.0
// The short ways into the Array class: C slots that CPython calls without a search for a method by its name.
//
// A slot answers for objects of the class itself and what lies in memory. For all else it calls the method of that
// name, which does the same by the same functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "bind.h"

namespace penstock::bind {

/// An operand of a short call: an array, which the interpreter's lock keeps as it is, or a number. Nothing for
/// subclasses and all else.
inline std::optional<Operand> plain_operand(PyObject* object) {
  if (const Array* array = plain_array(object)) return Operand::borrowed(*array);
  if (PyFloat_CheckExact(object)) return Operand(PyFloat_AS_DOUBLE(object));
  return std::nullopt;
}

/// The name of a method, as a template's argument.
struct MethodName {
  template <std::size_t n>
  consteval MethodName(const char (&name)[n]) {
    std::copy_n(name, n, text);
  }
  char text[16] = {};
};

/// The name as the Python object that a call by name wants.
template <MethodName name>
PyObject* interned() {
  static PyObject* const made = PyUnicode_InternFromString(name.text);
  return made;
}

/// The result of `f`, a PyObject* that may be null; what it throws as a Python error.
template <class F>
PyObject* guarded(F&& f) {
  try {
    return f();
  } catch (...) {
    set_error();
    return nullptr;
  }
}

/// A unary slot by `f`: PyObject* of an array, null where it has no answer.
template <MethodName name, auto f>
PyObject* unary_slot(PyObject* self) {
  if (const Array* array = plain_array(self)) {
    PyObject* result = guarded([&] { return f(*array); });
    if (result != nullptr || PyErr_Occurred()) return result;
  }
  return PyObject_CallMethodNoArgs(self, interned<name>());
}

/// As unary_slot, of an array and an object.
template <MethodName name, auto f>
PyObject* binary_slot(PyObject* self, PyObject* other) {
  if (const Array* array = plain_array(self)) {
    PyObject* result = guarded([&] { return f(*array, other); });
    if (result != nullptr || PyErr_Occurred()) return result;
  }
  return PyObject_CallMethodOneArg(self, interned<name>(), other);
}

/// Where a callable keeps the function that CPython calls.
inline vectorcallfunc& vectorcall_of(PyObject* callable) {
  return *reinterpret_cast<vectorcallfunc*>(reinterpret_cast<char*>(callable) +
                                            Py_TYPE(callable)->tp_vectorcall_offset);
}

/// Makes the functions of the op table answer calls of arrays, numbers and `out=` by themselves.
void shorten_calls(nb::module_& m);

/// Attributes by C functions: what the class is made with.
PyGetSetDef* array_attributes();

/// The elementwise operation of these operands.
nb::object calculated(Op op, std::span<const Operand> operands);

/// __array_priority__: above NumPy's own arrays, for libraries that choose a class by it.
inline constexpr double kPriority = 1.0;

/// Whether another class than NumPy's and this one says what ufuncs make of its objects: operators with them are then
/// its business.
bool gives_way(nb::handle other);

// The buffer protocol.
int get_buffer(PyObject* object, Py_buffer* view, int flags);
void release_buffer(PyObject* object, Py_buffer* view);

// One a file; bind_array calls them.
void bind_attributes(ArrayClass& cls);
void bind_buffers(ArrayClass& cls);
void bind_items(ArrayClass& cls);
void bind_references(nb::module_& m, ArrayClass& cls);
void bind_scalars(ArrayClass& cls);
void bind_showing(nb::module_& m, ArrayClass& cls);
void bind_ufunc(ArrayClass& cls);

}  // namespace penstock::bind
