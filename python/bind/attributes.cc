// SPDX-License-Identifier: Apache-2.0
// shape, dtype, ndim and size: attributes that CPython reads by a C function, as cheaply as those of its own types.

#include <string>

#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"
#include "slots.h"

namespace penstock::bind {
namespace {

PyObject* shape(const Array& array) { return tuple_of(array.shape()).release().ptr(); }
PyObject* dtype(const Array& array) { return dtype_object(array.dtype()).release().ptr(); }
PyObject* ndim(const Array& array) { return PyLong_FromLong(array.ndim()); }
PyObject* size(const Array& array) { return PyLong_FromLongLong(array.size()); }

/// The attribute that `read` makes, of an object of the class or a subclass.
template <PyObject* (*read)(const Array&)>
PyObject* get(PyObject* self, void*) {
  if (!nb::inst_ready(self)) {
    PyErr_SetString(PyExc_TypeError, "the array was never given a value; make arrays with asarray");
    return nullptr;
  }
  return guarded([&] { return read(*nb::inst_ptr<Array>(self)); });
}

}  // namespace

PyGetSetDef* array_attributes() {
  // CPython keeps the pointers. tools/stubs.py says their types.
  static const std::string docs[] = {doc_of("Array.shape"), doc_of("Array.dtype"), doc_of("Array.ndim"),
                                     doc_of("Array.size")};
  static PyGetSetDef rows[] = {
      {"shape", &get<&shape>, nullptr, docs[0].c_str(), nullptr},
      {"dtype", &get<&dtype>, nullptr, docs[1].c_str(), nullptr},
      {"ndim", &get<&ndim>, nullptr, docs[2].c_str(), nullptr},
      {"size", &get<&size>, nullptr, docs[3].c_str(), nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  return rows;
}

}  // namespace penstock::bind
