// SPDX-License-Identifier: Apache-2.0
// shape, dtype, ndim and size: attributes that CPython reads by a C function or where they lie, as cheaply as those of
// its own types.

#include <Python.h>
#include <structmember.h>

#include <string>

#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"
#include "slots.h"

namespace penstock::bind {
namespace {

/// The tuples of the shapes that were asked for last: a program has few, and asks for them again and again.
PyObject* shape(const Array& array) {
  struct Kept {
    Dims shape;
    PyObject* tuple = nullptr;
  };
  constexpr std::size_t kMost = 64;  // a power of two
  static Kept* const table = new Kept[kMost];
  const Dims& dims = array.shape();
  std::uint64_t hash = dims.size();
  for (const std::int64_t extent : dims) hash = hash * 31 + static_cast<std::uint64_t>(extent);
  Kept& kept = table[hash % kMost];
  if (kept.tuple == nullptr || kept.shape != dims) {
    // To make a tuple may run the collector, and so Python code, by which the array has another value in the end.
    const Dims own = dims;
    nb::tuple made = tuple_of(own);
    if (!made.is_valid()) return nullptr;
    kept.shape = own;
    Py_XSETREF(kept.tuple, made.release().ptr());
  }
  return Py_NewRef(kept.tuple);
}

PyObject* ndim(const Array& array) { return PyLong_FromLong(array.ndim()); }
PyObject* size(const Array& array) { return PyLong_FromLongLong(array.size()); }

/// The attribute that `read` makes, of an object of the class or a subclass.
template <PyObject* (*read)(const Array&)>
PyObject* get(PyObject* self, void*) {
  return guarded([&] { return read(value_of(self)); });
}

}  // namespace

PyGetSetDef* array_attributes() {
  // CPython keeps the pointers. tools/stubs.py says their types.
  static const std::string docs[] = {doc_of("Array.shape"), doc_of("Array.ndim"), doc_of("Array.size")};
  static PyGetSetDef rows[] = {
      {"shape", &get<&shape>, nullptr, docs[0].c_str(), nullptr},
      {"ndim", &get<&ndim>, nullptr, docs[1].c_str(), nullptr},
      {"size", &get<&size>, nullptr, docs[2].c_str(), nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  return rows;
}

void bind_attributes(ArrayClass& cls) {
  const nb::object any = nb::inst_alloc(cls);
  Instance* instance = Instance::of(any.ptr());
  PENSTOCK_CHECK(nb::inst_ptr<Instance>(any) == instance, "nanobind has its objects lie otherwise");
  const auto* at = reinterpret_cast<const std::byte*>(&instance->dtype_object);
  static const std::string doc = doc_of("Array.dtype");
  static PyMemberDef dtype = {"dtype", T_OBJECT_EX, at - reinterpret_cast<const std::byte*>(any.ptr()), READONLY,
                              doc.c_str()};
  cls.attr("dtype") = nb::steal(PyDescr_NewMember(array_class, &dtype));
}

}  // namespace penstock::bind
