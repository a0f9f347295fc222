// SPDX-License-Identifier: Apache-2.0
// What the binding's files share: conversions between Python objects and arrays.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "instance.h"
#include "lock.h"
#include "penstock/array/array.h"

namespace penstock::bind {

/// A dtype as Python sees it: ps.float32.
struct DTypeObject {
  DType dtype;
};

// One function a file; module.cc calls them.
void bind_errors(nb::module_& m);
void bind_dtypes(nb::module_& m);
void bind_array(nb::module_& m);
void bind_functions(nb::module_& m);
void bind_products(nb::module_& m);
void bind_choose(nb::module_& m);
void bind_callback(nb::module_& m);
void bind_statistics(nb::module_& m);
void bind_windows(nb::module_& m);
void bind_engine(nb::module_& m);
void bind_measure(nb::module_& m);
void bind_tuning(nb::module_& m);
void bind_signatures(nb::module_& m);

/// What `make` gives, a pointer, made at the first call and kept. The interpreter's lock is held, and making may give
/// it up: whoever waits for the guard of a static then holds it.
template <class Make>
auto* made_once(const Make& make) {
  static decltype(make()) kept = nullptr;
  if (kept == nullptr) {
    const auto made = make();
    if (kept == nullptr) kept = made;  // another thread may have been faster; this one's stays unused
  }
  return kept;
}

/// Makes a Python error of the exception that is being handled, where nanobind has no translator: in C slots.
void set_error();

/// A dtype object, a name, or whatever numpy.dtype() takes; nothing for None. Throws DTypeError.
std::optional<DType> dtype_of(nb::handle object);
/// As dtype_of; None is no dtype either.
DType need_dtype(nb::handle object);
/// The Python object ps.<name>.
nb::object dtype_object(DType dtype);

/// An operand: an Array, a Python number (weak), or whatever asarray() takes. Nothing when the object is no operand.
std::optional<Operand> operand_of(nb::handle object);
/// As operand_of, of an operator: nothing for objects that are no arrays of anything, which may have the operator.
std::optional<Operand> other_operand(nb::handle object);
/// An array of an array, a buffer or a DLPack tensor, without a copy; nothing for the rest.
std::optional<Array> try_borrow(nb::handle object);
/// A NumPy array in native byte order, as it lies; nothing for all else.
std::optional<Array> borrowed_ndarray(nb::handle object);
/// Whether NumPy makes a new array of an object: of a list or a tuple.
bool is_list(nb::handle object);
/// An array whose elements nobody else can change: evaluated, and copied if its memory is borrowed.
Array frozen(const Array& array);
/// An array of anything: buffer protocol and DLPack without a copy, the rest through numpy.asarray.
Array array_of(nb::handle object);
/// As array_of; nothing (and no Python error) for objects that are no arrays.
std::optional<Array> try_array_of(nb::handle object);

/// The array that a method was called on; throws DTypeError for what is none.
Array& array_in(nb::handle self);
/// What an operator in place does with its result, which must have the shape and dtype of `self`.
void become(Array& self, const Array& result);

/// An int or a sequence of ints as dimensions or axes.
Dims dims_of(nb::handle object, const char* what);
Dims dims_of(std::span<PyObject* const> items, const char* what);
/// The items of a tuple.
inline std::span<PyObject* const> items_of(PyObject* tuple) {
  return {&PyTuple_GET_ITEM(tuple, 0), static_cast<std::size_t>(PyTuple_GET_SIZE(tuple))};
}
/// One integer, beyond 64 bits the nearest one of them: where only its order among places counts.
std::int64_t clipped(nb::handle object, const char* what);
/// None stays nothing.
std::optional<Dims> optional_dims(nb::handle object, const char* what);
/// One integer of 64 bits. Throws DTypeError for what is none, ArgumentError for one that 64 bits do not hold.
std::int64_t whole_of(nb::handle object, const char* what);
std::optional<std::int64_t> optional_whole(nb::handle object, const char* what);
/// A real number. Throws DTypeError for what is none, ArgumentError for an integer that float64 does not hold.
double real_of(nb::handle object, const char* what);
/// True or False, Python's or NumPy's, or an integer. Throws DTypeError for the rest.
bool flag_of(nb::handle object, const char* what);
std::optional<bool> optional_flag(nb::handle object, const char* what);
/// A Python number by kind; throws DTypeError for what is none.
Number number_of(nb::handle object);
std::optional<Number> try_number_of(nb::handle object);

/// str(object), repr(object) and the name of its type, for messages.
std::string str_text(nb::handle object);
std::string repr_text(nb::handle object);
std::string type_text(nb::handle object);

/// The elements as a NumPy array, without a copy; evaluates.
nb::object to_numpy(const nb::object& array);

/// Tuple of ints.
nb::tuple tuple_of(const Dims& dims);

/// Evaluation options: Python's signals are polled on the main thread and the progress callback called.
run::Options options();

/// What an array given as `out=` does with the result, which must have its shape and dtype.
void take(Array& out, Array result);
/// The result, or what `out=` holds afterwards. `out`: None, an Array (takes the value), or a writable NumPy array.
nb::object finish(const Array& result, nb::handle out);

}  // namespace penstock::bind
