// SPDX-License-Identifier: Apache-2.0
// Matrix and dot products: functions, and the @ operator of arrays.

#include <nanobind/stl/vector.h>

#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"
#include "slots.h"

namespace penstock::bind {
namespace {

Array need_array(nb::handle object, const char* function) {
  if (std::optional<Array> array = try_array_of(object)) return std::move(*array);
  throw DTypeError(cat(function, " cannot take ", repr_text(object)));
}

using Binary = Array (*)(const Array&, const Array&);

nb::object apply(Binary f, const char* name, nb::handle x1, nb::handle x2, nb::handle out) {
  const Array a = need_array(x1, name);
  const Array b = need_array(x2, name);
  return finish(f(a, b), out);
}

template <bool reflected>
nb::object matmul_operator(const Array& self, nb::handle other) {
  const std::optional<Operand> operand = gives_way(other) ? std::nullopt : other_operand(other);
  const Array* array = operand ? operand->array() : nullptr;  // none of a number
  if (array == nullptr) return nb::borrow<nb::object>(Py_NotImplemented);
  return nb::cast(reflected ? matmul(*array, self) : matmul(self, *array));
}

nb::object matmul_in_place(const nb::object& self, nb::handle other) {
  Array& array = array_in(self);
  become(array, matmul(array, need_array(other, "matmul")));
  return self;
}

nb::object vecdot_of(nb::handle x1, nb::handle x2, nb::handle axis) {
  const Array a = need_array(x1, "vecdot");
  const Array b = need_array(x2, "vecdot");
  return nb::cast(vecdot(a, b, whole_of(axis, "axis")));
}

nb::object tensordot_of(nb::handle x1, nb::handle x2, nb::handle axes) {
  const Array a = need_array(x1, "tensordot");
  const Array b = need_array(x2, "tensordot");
  if (PyIndex_Check(axes.ptr())) {
    const std::int64_t n = dims_of(axes, "axes")[0];
    return nb::cast(tensordot(a, b, n));
  }
  if (!PySequence_Check(axes.ptr()) || PySequence_Size(axes.ptr()) != 2) {
    throw ArgumentError(cat("axes of tensordot is ", repr_text(axes), "; give a number, or a pair of sequences"));
  }
  const Dims of_a = dims_of(axes[0], "axes");
  const Dims of_b = dims_of(axes[1], "axes");
  return nb::cast(tensordot(a, b, of_a, of_b));
}

}  // namespace

void bind_products(nb::module_& m) {
  const auto out = nb::arg("out").none() = nb::none();
  m.def(
      "matmul", [](nb::handle x1, nb::handle x2, nb::handle to) { return apply(&matmul, "matmul", x1, x2, to); },
      nb::arg("x1").none(), nb::arg("x2").none(), nb::kw_only(), out, doc_of("matmul").c_str(),
      nb::sig("def matmul(x1: object, x2: object, *, out: Out | None = None) -> Out"));
  m.def(
      "dot", [](nb::handle a, nb::handle b, nb::handle to) { return apply(&dot, "dot", a, b, to); },
      nb::arg("a").none(), nb::arg("b").none(), nb::kw_only(), out, doc_of("dot").c_str(),
      nb::sig("def dot(a: object, b: object, *, out: Out | None = None) -> Out"));
  m.def("vecdot", &vecdot_of, nb::arg("x1").none(), nb::arg("x2").none(), nb::kw_only(), nb::arg("axis").none() = -1,
        doc_of("vecdot").c_str(), nb::sig("def vecdot(x1: object, x2: object, *, axis: int = -1) -> Array"));
  m.def("tensordot", &tensordot_of, nb::arg("x1").none(), nb::arg("x2").none(), nb::kw_only(),
        nb::arg("axes").none() = 2, doc_of("tensordot").c_str(),
        nb::sig("def tensordot(x1: object, x2: object, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> "
                "Array"));

  const nb::object cls = m.attr("Array");
  nb::cpp_function_def(&matmul_operator<false>, nb::scope(cls), nb::name("__matmul__"), nb::is_method(),
                       nb::is_operator(), nb::arg("other").none(), doc_of("Array.__matmul__").c_str(),
                       nb::sig("def __matmul__(self, other: object, /) -> Array"));
  nb::cpp_function_def(&matmul_operator<true>, nb::scope(cls), nb::name("__rmatmul__"), nb::is_method(),
                       nb::is_operator(), nb::arg("other").none(), doc_of("Array.__rmatmul__").c_str(),
                       nb::sig("def __rmatmul__(self, other: object, /) -> Array"));
  nb::cpp_function_def(&matmul_in_place, nb::scope(cls), nb::name("__imatmul__"), nb::is_method(),
                       nb::arg("other").none(), doc_of("Array.__imatmul__").c_str(),
                       nb::sig("def __imatmul__(self, other: object, /) -> Array"));
}

}  // namespace penstock::bind
