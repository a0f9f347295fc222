// SPDX-License-Identifier: Apache-2.0
// How an object of the Array class lies in memory, so that what is asked most often is found without a call.
//
//   | PyObject, nanobind's state | Array | dtype | weak references |
//   0                            kPayload
#pragma once

#include <Python.h>
#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "penstock/array/array.h"
#include "penstock/base/error.h"

namespace penstock::bind {

namespace nb = nanobind;

/// The Array class, once bind_array has made it.
inline PyTypeObject* array_class = nullptr;

/// The Python objects ps.<name>, in the order of DType; they last as long as the process.
inline PyObject* dtype_objects[kDTypeCount] = {};

/// What an object of the Array class or a subclass holds. The handle's dtype never changes, whatever its value, so
/// the interpreter reads the attribute where it lies. No dtype: the object was made by __new__ and has no value.
struct Instance {
  Array array;
  PyObject* dtype_object;

  static constexpr std::size_t kPayload =
      (sizeof(PyObject) + sizeof(std::uint64_t) + alignof(Array) - 1) / alignof(Array) * alignof(Array);

  /// Of an object of the class or a subclass.
  static Instance* of(PyObject* object) {
    return reinterpret_cast<Instance*>(reinterpret_cast<std::byte*>(object) + kPayload);
  }
};

/// What nanobind makes room for: it calls only the array's destructor.
struct Room : Array {
  std::byte rest[sizeof(Instance) - sizeof(Array)];
};
static_assert(sizeof(Room) == sizeof(Instance) && alignof(Room) == alignof(Instance));

/// The class as nanobind knows it.
using ArrayClass = nb::class_<Array, Room>;

/// The array of an object of the class itself; null for subclasses, for objects without a value, and for all else.
inline const Array* plain_array(PyObject* object) {
  if (Py_TYPE(object) != array_class) return nullptr;
  const Instance* instance = Instance::of(object);
  return instance->dtype_object != nullptr ? &instance->array : nullptr;
}

/// The array of an object of the class or a subclass. Throws DTypeError for one without a value.
inline Array& value_of(PyObject* object) {
  Instance* instance = Instance::of(object);
  if (instance->dtype_object != nullptr) return instance->array;
  throw DTypeError("the array was never given a value; make arrays with asarray");
}

/// As value_of; null for objects of other classes.
inline Array* array_or_null(nb::handle object) {
  return PyObject_TypeCheck(object.ptr(), array_class) != 0 ? &value_of(object.ptr()) : nullptr;
}

/// A new Python object of the class, of the array that `make` returns, in its place: an array that was just written in
/// small pieces is slow to copy. The only way that an object with a value is made.
template <class Make>
nb::object object_made(Make&& make) {
  nb::object made = nb::inst_alloc(reinterpret_cast<PyObject*>(array_class));
  Instance* instance = Instance::of(made.ptr());
  instance->dtype_object = nullptr;  // `make` may run Python code, which finds all objects if it looks for them
  new (&instance->array) Array(make());
  instance->dtype_object = dtype_objects[index_of(instance->array.dtype())];
  nb::inst_mark_ready(made);
  return made;
}

inline nb::object object_of(Array array) {
  return object_made([&] { return std::move(array); });
}

}  // namespace penstock::bind

/// Arrays become objects by object_of, whatever function returns them.
template <>
struct nanobind::detail::type_caster<penstock::Array> : type_caster_base<penstock::Array> {
  template <class T>
  static handle from_cpp(T&& value, rv_policy policy, cleanup_list* cleanup) noexcept {
    // An operator in place returns the array that an object holds already.
    if (policy == rv_policy::none) {
      return type_caster_base<penstock::Array>::from_cpp(std::forward<T>(value), policy, cleanup);
    }
    try {
      return penstock::bind::object_of(std::forward<T>(value)).release();
    } catch (python_error& error) {
      error.restore();
    } catch (const std::bad_alloc&) {
      PyErr_NoMemory();
    }
    return {};
  }
};
