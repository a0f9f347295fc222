// SPDX-License-Identifier: Apache-2.0
// Python classes for the rows of base/error.def, and the translation of what C++ throws.

#include <cerrno>
#include <map>
#include <new>
#include <sstream>
#include <string>
#include <typeinfo>

#include "bind.h"
#include "penstock/base/error.h"

namespace penstock::bind {
namespace {

struct Row {
  const char* name;
  ErrorCode code;
  const char* bases;
  int status;
};

constexpr Row kRows[] = {
#define PENSTOCK_ERROR(name, code, bases, status) {#name, ErrorCode::k##name, bases, status},
#include "penstock/base/error.def"
#undef PENSTOCK_ERROR
};

std::map<ErrorCode, PyObject*>& classes() {
  static auto* map = new std::map<ErrorCode, PyObject*>;
  return *map;
}
PyObject* missing_file_class = nullptr;

nb::object make_class(const std::string& name, const nb::tuple& bases, const std::string& code, int status) {
  nb::dict attributes;
  attributes["__module__"] = "penstock.errors";
  attributes["code"] = code;
  attributes["exit_status"] = status;
  std::string kinds;
  for (const nb::handle base : bases) kinds += cat(kinds.empty() ? "" : " and ", str_text(base.attr("__name__")));
  attributes["__doc__"] =
      cat("Raised by Penstock: ", kinds, " of the code ", code, ", exit status ", status, ".\n\nBeyond the standard.");
  return nb::borrow<nb::object>(reinterpret_cast<PyObject*>(&PyType_Type))(name, bases, attributes);
}

void raise(const Error& error) {
  PyObject* type = classes().at(error.code());
  if (error.code() == ErrorCode::kFileError && error.sys_errno() == ENOENT) type = missing_file_class;
  if (error.sys_errno() == 0) {
    PyErr_SetString(type, error.what());
    return;
  }
  // OSError keeps the number where code that knows nothing of Penstock looks for it.
  PyObject* value = PyObject_CallFunction(type, "is", error.sys_errno(), error.what());
  if (value == nullptr) return;
  PyErr_SetObject(type, value);
  Py_DECREF(value);
}

}  // namespace

void bind_errors(nb::module_& m) {
  nb::module_ errors = m.def_submodule("errors", "What Penstock raises.");
  const nb::object builtins = nb::module_::import_("builtins");
  const nb::object base = make_class("PenstockError", nb::make_tuple(builtins.attr("Exception")), "PS0000", 1);
  errors.attr("PenstockError") = base;
  for (const Row& row : kRows) {
    nb::list bases;
    bases.append(base);
    std::istringstream names(row.bases);
    for (std::string name; std::getline(names, name, ',');) bases.append(builtins.attr(name.c_str()));
    const nb::object made = make_class(row.name, nb::tuple(bases), cat("PS", static_cast<int>(row.code)), row.status);
    errors.attr(row.name) = made;
    classes()[row.code] = made.inc_ref().ptr();
  }
  const nb::object file_error = errors.attr("FileError");
  const nb::object missing =
      make_class("MissingFileError", nb::make_tuple(file_error, builtins.attr("FileNotFoundError")),
                 cat("PS", static_cast<int>(ErrorCode::kFileError)), 1);
  errors.attr("MissingFileError") = missing;
  missing_file_class = missing.inc_ref().ptr();
  errors.def(
      "class_of", [](int code) { return nb::borrow<nb::object>(classes().at(static_cast<ErrorCode>(code))); },
      "The class of an error code.");
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const Error& error) {
      raise(error);
    }
  });
}

void set_error() {
  try {
    throw;
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const Error& error) {
    raise(error);
  } catch (const std::bad_cast&) {
    PyErr_SetString(PyExc_TypeError, "an argument is of another type than expected");
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

}  // namespace penstock::bind
