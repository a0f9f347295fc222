// SPDX-License-Identifier: Apache-2.0
// shape, dtype, ndim and size: attributes that CPython reads by a C function, as cheaply as those of its own types.

#include "bind.h"
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
  // tools/stubs.py says their types.
  static PyGetSetDef rows[] = {
      {"shape", &get<&shape>, nullptr, "Extents.", nullptr},
      {"dtype", &get<&dtype>, nullptr, "Element type.", nullptr},
      {"ndim", &get<&ndim>, nullptr, "Number of axes.", nullptr},
      {"size", &get<&size>, nullptr, "Number of elements.", nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  return rows;
}

}  // namespace penstock::bind
