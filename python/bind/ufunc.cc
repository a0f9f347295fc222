// SPDX-License-Identifier: Apache-2.0
// NumPy's own functions of arrays: __array_ufunc__, which NumPy's operators take too, and __array_function__. Calls of
// what is a row of the op table are answered here; the rest is Python's business (penstock/_ufuncs.py and
// penstock/_numpy_functions.py).

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"
#include "slots.h"

namespace penstock::bind {
namespace {

PyTypeObject* ndarray_class() {
  PyObject* const found =
      made_once([] { return nb::object(nb::module_::import_("numpy").attr("ndarray")).release().ptr(); });
  return reinterpret_cast<PyTypeObject*>(found);
}

/// What answers the plain call of a ufunc: a row of the op table, or a function of the extension.
struct Answer {
  int arity;
  std::optional<Op> row;
  PyObject* function = nullptr;
};

/// NumPy's ufuncs that the extension has under the same name, which the standard's all are from NumPy 2.1 on.
const std::unordered_map<PyObject*, Answer>& answers() {
  return *made_once([] {
    auto* map = new std::unordered_map<PyObject*, Answer>;
    const nb::module_ numpy = nb::module_::import_("numpy");
    const nb::object ufunc = numpy.attr("ufunc");
    const auto add = [&](const char* name, const Answer& answer) {
      nb::object found = nb::getattr(numpy, name, nb::none());
      if (nb::isinstance(found, ufunc)) map->emplace(found.release().ptr(), answer);
    };
    for (int i = 0; i < kOpCount; ++i) add(kOps[i].name, {kOps[i].arity, static_cast<Op>(i)});
    const nb::module_ core = nb::module_::import_("penstock._core");
    for (const char* name : {"matmul", "vecdot"}) add(name, {2, {}, nb::object(core.attr(name)).release().ptr()});
    return map;
  });
}

/// The call of a ufunc without options; null, without an error, for what Python is to answer.
PyObject* called(PyObject* const* arguments, Py_ssize_t n) {
  if (PyUnicode_CompareWithASCIIString(arguments[1], "__call__") != 0) return nullptr;
  const auto found = answers().find(arguments[0]);
  if (found == answers().end() || n - 2 != found->second.arity) return nullptr;
  if (std::any_of(arguments + 2, arguments + n, gives_way)) return nullptr;
  const Answer& answer = found->second;
  if (!answer.row) return PyObject_Vectorcall(answer.function, arguments + 2, static_cast<std::size_t>(n - 2), nullptr);
  // Operands are held: an evaluation that gives up the interpreter's lock lets others change the handles.
  std::vector<Operand> operands;
  operands.reserve(static_cast<std::size_t>(n - 2));
  for (Py_ssize_t i = 2; i < n; ++i) {
    std::optional<Operand> operand = operand_of(arguments[i]);
    if (!operand) return nullptr;
    operands.push_back(std::move(*operand));
  }
  return calculated(*answer.row, operands).release().ptr();
}

/// __array_ufunc__(ufunc, method, *inputs, **options), in C's own calling convention: small arrays are added so too.
PyObject* array_ufunc(PyObject*, PyObject* const* arguments, Py_ssize_t n, PyObject* names) {
  return guarded([&]() -> PyObject* {
    if (n < 3) throw DTypeError("__array_ufunc__ takes a ufunc, a method's name and inputs");
    if (names == nullptr || PyTuple_GET_SIZE(names) == 0) {
      if (PyObject* result = called(arguments, n)) return result;
    }
    nb::object inputs = nb::steal(PyTuple_New(n - 2));
    for (Py_ssize_t i = 2; i < n; ++i) PyTuple_SET_ITEM(inputs.ptr(), i - 2, Py_NewRef(arguments[i]));
    nb::dict options;
    for (Py_ssize_t i = 0; names != nullptr && i < PyTuple_GET_SIZE(names); ++i) {
      options[nb::handle(PyTuple_GET_ITEM(names, i))] = nb::handle(arguments[n + i]);
    }
    const nb::module_ rest = nb::module_::import_("penstock._ufuncs");
    const nb::object method = rest.attr("array_ufunc");
    return method(nb::handle(arguments[0]), nb::handle(arguments[1]), inputs, options).release().ptr();
  });
}

// CPython keeps the pointer.
PyMethodDef ufunc_method = {"__array_ufunc__",
                            reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&array_ufunc)),
                            METH_FASTCALL | METH_KEYWORDS, nullptr};

}  // namespace

bool gives_way(nb::handle other) {
  PyTypeObject* type = Py_TYPE(other.ptr());
  if (type == ndarray_class() || PyType_IsSubtype(type, array_class) != 0) return false;
  const bool is_ndarray = PyType_IsSubtype(type, ndarray_class()) != 0;
  if (PyObject_CheckBuffer(other.ptr()) && !is_ndarray) return false;  // NumPy's scalars, bytes
  const nb::handle cls(reinterpret_cast<PyObject*>(type));
  const nb::object own = nb::getattr(cls, "__array_ufunc__", nb::object());
  if (!own || !is_ndarray) return static_cast<bool>(own);
  // Masked arrays have NumPy's ufuncs, but operators of their own: their priority says so.
  double priority = 0;
  return !own.is(nb::handle(reinterpret_cast<PyObject*>(ndarray_class())).attr("__array_ufunc__")) ||
         (nb::try_cast(nb::getattr(cls, "__array_priority__", nb::none()), priority) && priority > kPriority);
}

void bind_ufunc(ArrayClass& cls) {
  auto* type = reinterpret_cast<PyTypeObject*>(cls.ptr());
  static const std::string doc =
      cat("__array_ufunc__($self, ufunc, method, /, *inputs, **options)\n--\n\n", doc_of("Array.__array_ufunc__"));
  ufunc_method.ml_doc = doc.c_str();
  cls.attr("__array_ufunc__") = nb::steal(PyDescr_NewMethod(type, &ufunc_method));
  cls.def(
      "__array_function__",
      [](const nb::object&, nb::handle function, nb::handle types, nb::handle arguments, nb::handle options) {
        const nb::module_ rest = nb::module_::import_("penstock._numpy_functions");
        return nb::object(rest.attr("array_function")(function, types, arguments, options));
      },
      nb::arg("func"), nb::arg("types"), nb::arg("args"), nb::arg("kwargs"), doc_of("Array.__array_function__").c_str(),
      nb::sig("def __array_function__(self, func: Callable[..., typing.Any], types: Iterable[type], args: "
              "Sequence[typing.Any], kwargs: dict[str, typing.Any]) -> typing.Any"));
}

}  // namespace penstock::bind
