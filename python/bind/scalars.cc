// SPDX-License-Identifier: Apache-2.0
// Elements as Python numbers: float, int, bool, complex, index, item and tolist.

#include <nanobind/stl/complex.h>

#include "bind.h"
#include "docs.h"
#include "penstock/array/number.h"
#include "penstock/base/error.h"
#include "slots.h"

namespace penstock::bind {
namespace {

template <class T>
T scalar(const Array& self) {
  // item() refuses several elements by the shape alone: they are not worth an evaluation.
  if (self.evaluated() || self.size() != 1) return self.item<T>();
  const run::Options how = options();
  const Array array = self;
  return unlocked([&] {
    evaluate({array}, how);
    return array.item<T>();
  });
}

// By these both the methods and the slots make their numbers.
nb::object real_number(const Array& self) { return nb::steal(PyFloat_FromDouble(scalar<double>(self))); }
nb::object truth(const Array& self) { return nb::borrow(scalar<bool>(self) ? Py_True : Py_False); }

/// int() and index(): the whole range of uint64 too.
nb::object integer(const Array& self) {
  if (self.dtype() == DType::k_uint64) return nb::steal(PyLong_FromUnsignedLongLong(scalar<std::uint64_t>(self)));
  return nb::steal(PyLong_FromLongLong(scalar<std::int64_t>(self)));
}

/// A vector of one element chooses an element and keeps the axis, so it is no integer.
nb::object index(const Array& self) {
  if (!is_integer(self.dtype()) || self.ndim() != 0) {
    throw DTypeError(cat("an array of ", name_of(self.dtype()), " of shape ", shape_text(self.shape()),
                         " is no index; only integers without axes are"));
  }
  return integer(self);
}

/// The number of the dtype's kind.
nb::object item(const Array& self) {
  switch (kind_of(self.dtype())) {
    case Kind::kBool:
      return truth(self);
    case Kind::kUInt:
    case Kind::kInt:
      return integer(self);
    case Kind::kFloat:  // of float16, which is stored and not computed with, the float32 that it is
      return real_number(self.dtype() == DType::k_float16 ? astype(self, DType::k_float32) : self);
    case Kind::kComplex:
      return nb::cast(scalar<std::complex<double>>(self));
  }
  return nb::none();
}

template <auto f>
PyObject* number(const Array& self) {
  return f(self).release().ptr();
}

int truth_slot(PyObject* self) {
  PyObject* found = unary_slot<"__bool__", &number<&truth>>(self);
  if (found == nullptr) return -1;
  const int is_true = PyObject_IsTrue(found);
  Py_DECREF(found);
  return is_true;
}

/// An integer as what elements of the dtype are compared with; nothing where the dtype holds no such number.
std::optional<Operand> sought_integer(nb::handle integer, DType dtype) {
  const Kind kind = kind_of(dtype);
  if (kind == Kind::kFloat || kind == Kind::kComplex) {
    const double value = PyLong_AsDouble(integer.ptr());
    if (value != -1 || PyErr_Occurred() == nullptr) return Operand(value);
    PyErr_Clear();
    return std::nullopt;
  }
  try {
    // bool is compared with integers as int64.
    scalar_of(number_of(integer), kind == Kind::kBool ? DType::k_int64 : dtype);
    return operand_of(integer);
  } catch (const ArgumentError&) {
    return std::nullopt;
  }
}

bool contains(const Array& self, nb::handle value) {
  const bool integer = PyLong_Check(value.ptr()) != 0 && PyBool_Check(value.ptr()) == 0;
  const std::optional<Operand> operand = integer ? sought_integer(value, self.dtype()) : other_operand(value);
  if (!operand) return false;
  const Operand operands[] = {self, *operand};
  return scalar<bool>(any(elementwise(Op::k_equal, operands), Over{}));
}

/// Of one number as Python formats it; without a specification what str() gives.
nb::object formatted(const nb::object& self, const nb::str& specification) {
  if (nb::len(specification) == 0) return nb::str(self);
  const Array& array = value_of(self.ptr());
  if (array.ndim() != 0) {
    throw DTypeError(cat("the format ", repr_text(specification), " is of one number; the array has shape ",
                         shape_text(array.shape()), "; format its elements, or numpy.asarray(x)"));
  }
  return nb::steal(PyObject_Format(item(array).ptr(), specification.ptr()));
}

}  // namespace

void bind_scalars(ArrayClass& cls) {
  cls.def("__contains__", &contains, nb::arg("value").none(), doc_of("Array.__contains__").c_str(),
          nb::sig("def __contains__(self, value: object, /) -> builtins.bool"));
  cls.def("__format__", &formatted, nb::arg("format_spec"), doc_of("Array.__format__").c_str(),
          nb::sig("def __format__(self, format_spec: str, /) -> str"));
  cls.def("__bool__", &truth, doc_of("Array.__bool__").c_str(), nb::sig("def __bool__(self) -> builtins.bool"));
  cls.def("__int__", &integer, doc_of("Array.__int__").c_str(), nb::sig("def __int__(self) -> int"));
  cls.def("__float__", &real_number, doc_of("Array.__float__").c_str(), nb::sig("def __float__(self) -> float"));
  cls.def("__complex__", &scalar<std::complex<double>>, doc_of("Array.__complex__").c_str());
  cls.def("__index__", &index, doc_of("Array.__index__").c_str(), nb::sig("def __index__(self) -> int"));
  cls.def(
      "tolist", [](const nb::object& self) { return to_numpy(self).attr("tolist")(); }, doc_of("Array.tolist").c_str(),
      nb::sig("def tolist(self) -> typing.Any"));
  cls.def("item", &item, doc_of("Array.item").c_str(), nb::sig("def item(self) -> typing.Any"));
  PyNumberMethods& slots = reinterpret_cast<PyHeapTypeObject*>(cls.ptr())->as_number;
  slots.nb_float = &unary_slot<"__float__", &number<&real_number>>;
  slots.nb_int = &unary_slot<"__int__", &number<&integer>>;
  slots.nb_index = &unary_slot<"__index__", &number<&index>>;
  slots.nb_bool = &truth_slot;
}

}  // namespace penstock::bind
