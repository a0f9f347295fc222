// SPDX-License-Identifier: Apache-2.0
// The Array class: operators, and what it is made of.

#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"
#include "slots.h"
#include "walk.h"

namespace penstock::bind {
namespace {

nb::object not_implemented() { return nb::borrow<nb::object>(Py_NotImplemented); }

template <Op op, bool reflected>
nb::object binary(const Array& self, nb::handle other) {
  if (gives_way(other)) return not_implemented();
  std::optional<Operand> operand = other_operand(other);
  if (!operand) return not_implemented();
  if constexpr (reflected) {
    const Operand operands[] = {std::move(*operand), self};
    return calculated(op, operands);
  } else {
    const Operand operands[] = {self, std::move(*operand)};
    return calculated(op, operands);
  }
}

/// By the methods of an operator, which Python code may replace.
template <MethodName name, MethodName reflected>
PyObject* by_method(PyObject* a, PyObject* b) {
  if (PyObject_TypeCheck(a, array_class)) {
    PyObject* result = PyObject_CallMethodOneArg(a, interned<name>(), b);
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  if (PyObject_TypeCheck(b, array_class)) return PyObject_CallMethodOneArg(b, interned<reflected>(), a);
  Py_RETURN_NOTIMPLEMENTED;
}

/// The operator of arrays and numbers without a search for its method. Other operands take the usual way.
template <Op op, MethodName name, MethodName reflected>
PyObject* fast_binary(PyObject* a, PyObject* b) {
  const auto at_once = [&]() -> PyObject* {
    std::optional<Operand> left = plain_operand(a);
    std::optional<Operand> right = left ? plain_operand(b) : std::nullopt;
    if (!right) return nullptr;
    const Operand operands[] = {std::move(*left), std::move(*right)};
    std::optional<Array> done = elementwise_at_once(op, operands);
    return done ? object_of(std::move(*done)).release().ptr() : nullptr;
  };
  PyObject* result = guarded(at_once);
  return result != nullptr || PyErr_Occurred() ? result : by_method<name, reflected>(a, b);
}

template <Op op>
Array& in_place(Array& self, nb::handle other) {
  std::optional<Operand> operand = operand_of(other);
  if (!operand) throw DTypeError(cat(row(op).name, " cannot take ", repr_text(other)));
  const Operand operands[] = {self, std::move(*operand)};
  become(self, elementwise(op, operands));
  return self;
}

/// divmod(): quotients and remainders, which have one dtype.
template <bool reflected>
nb::object both(const Array& self, nb::handle other) {
  nb::object quotients = binary<Op::k_floor_divide, reflected>(self, other);
  if (quotients.is(not_implemented())) return quotients;
  return nb::make_tuple(quotients, binary<Op::k_remainder, reflected>(self, other));
}

template <Op op>
nb::object unary(const Array& self) {
  const Operand operands[] = {self};
  return calculated(op, operands);
}

template <Op op, class C>
void def_operator(C& cls, const char* name, const char* reflected, const char* assigned) {
  const auto signature = [](const char* method) { return cat("def ", method, "(self, other: object, /) -> Array"); };
  cls.def(name, &binary<op, false>, nb::arg("other").none(), nb::is_operator(),
          operator_doc(op, name, Place::kFirst).c_str(), nb::sig(signature(name).c_str()));
  if (reflected != nullptr) {
    cls.def(reflected, &binary<op, true>, nb::arg("other").none(), nb::is_operator(),
            operator_doc(op, reflected, Place::kSecond).c_str(), nb::sig(signature(reflected).c_str()));
  }
  if (assigned != nullptr) {
    cls.def(assigned, &in_place<op>, nb::arg("other").none(), nb::rv_policy::none,
            operator_doc(op, assigned, Place::kInPlace).c_str(), nb::sig(signature(assigned).c_str()));
  }
}

template <Op op, class C>
void def_unary(C& cls, const char* name) {
  cls.def(name, &unary<op>, operator_doc(op, name, Place::kFirst).c_str(),
          nb::sig(cat("def ", name, "(self) -> Array").c_str()));
}

/// Array.__new__(Array): an object without a value. Those that are used again are not empty.
PyObject* new_without_value(PyTypeObject* type, PyObject*, PyObject*) {
  return guarded([&] {
    nb::object made = nb::inst_alloc(reinterpret_cast<PyObject*>(type));
    Instance::of(made.ptr())->dtype_object = nullptr;
    return made.release().ptr();
  });
}

int no_constructor(PyObject*, PyObject*, PyObject*) {
  return guarded([]() -> PyObject* {
           throw DTypeError("arrays have no constructor; asarray, open and the creation functions make them");
         }) == nullptr
             ? -1
             : 0;
}

PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(new_without_value)},
                       {Py_tp_init, reinterpret_cast<void*>(no_constructor)},
                       {Py_tp_getset, array_attributes()},
                       {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
                       {Py_bf_releasebuffer, reinterpret_cast<void*>(release_buffer)},
                       {0, nullptr}};

std::vector<std::string> sources(const Array& array) {
  const std::lock_guard lock(graph::graph_mutex());
  std::vector<std::string> paths;
  walk(array, [&](const graph::Node& node) {
    if (const auto* file = node.as<graph::InFile>()) paths.push_back(file->file->path());
  });
  return paths;
}

template <class C>
void bind_operators(C& cls) {
  def_operator<Op::k_add>(cls, "__add__", "__radd__", "__iadd__");
  def_operator<Op::k_subtract>(cls, "__sub__", "__rsub__", "__isub__");
  def_operator<Op::k_multiply>(cls, "__mul__", "__rmul__", "__imul__");
  def_operator<Op::k_divide>(cls, "__truediv__", "__rtruediv__", "__itruediv__");
  def_operator<Op::k_floor_divide>(cls, "__floordiv__", "__rfloordiv__", "__ifloordiv__");
  def_operator<Op::k_remainder>(cls, "__mod__", "__rmod__", "__imod__");
  def_operator<Op::k_pow>(cls, "__pow__", "__rpow__", "__ipow__");
  def_operator<Op::k_bitwise_and>(cls, "__and__", "__rand__", "__iand__");
  def_operator<Op::k_bitwise_or>(cls, "__or__", "__ror__", "__ior__");
  def_operator<Op::k_bitwise_xor>(cls, "__xor__", "__rxor__", "__ixor__");
  def_operator<Op::k_bitwise_left_shift>(cls, "__lshift__", "__rlshift__", "__ilshift__");
  def_operator<Op::k_bitwise_right_shift>(cls, "__rshift__", "__rrshift__", "__irshift__");
  def_operator<Op::k_equal>(cls, "__eq__", nullptr, nullptr);
  def_operator<Op::k_not_equal>(cls, "__ne__", nullptr, nullptr);
  def_operator<Op::k_less>(cls, "__lt__", nullptr, nullptr);
  def_operator<Op::k_less_equal>(cls, "__le__", nullptr, nullptr);
  def_operator<Op::k_greater>(cls, "__gt__", nullptr, nullptr);
  def_operator<Op::k_greater_equal>(cls, "__ge__", nullptr, nullptr);
  cls.def("__divmod__", &both<false>, nb::arg("other").none(), nb::is_operator(), doc_of("Array.__divmod__").c_str(),
          nb::sig("def __divmod__(self, other: object, /) -> tuple[Array, Array]"));
  cls.def("__rdivmod__", &both<true>, nb::arg("other").none(), nb::is_operator(), doc_of("Array.__rdivmod__").c_str(),
          nb::sig("def __rdivmod__(self, other: object, /) -> tuple[Array, Array]"));
  PyNumberMethods& number = reinterpret_cast<PyHeapTypeObject*>(cls.ptr())->as_number;
  number.nb_add = &fast_binary<Op::k_add, "__add__", "__radd__">;
  number.nb_subtract = &fast_binary<Op::k_subtract, "__sub__", "__rsub__">;
  number.nb_multiply = &fast_binary<Op::k_multiply, "__mul__", "__rmul__">;
  number.nb_true_divide = &fast_binary<Op::k_divide, "__truediv__", "__rtruediv__">;
  def_unary<Op::k_negative>(cls, "__neg__");
  def_unary<Op::k_positive>(cls, "__pos__");
  def_unary<Op::k_abs>(cls, "__abs__");
  def_unary<Op::k_bitwise_invert>(cls, "__invert__");
}

/// Shapes and axes as one tuple or as several integers.
Dims dims_of_arguments(std::span<PyObject* const> arguments, const char* what) {
  const bool one = arguments.size() == 1 && !PyIndex_Check(arguments[0]);
  return one ? dims_of(arguments[0], what) : dims_of(arguments, what);
}

/// reshape(*shape), in C's own calling convention.
PyObject* reshape_method(PyObject* self, PyObject* const* arguments, Py_ssize_t n) {
  return guarded([&] {
    const Dims shape = dims_of_arguments({arguments, static_cast<std::size_t>(n)}, "shape");
    return object_made([&] { return reshape(value_of(self), shape); }).release().ptr();
  });
}

/// The namespace of an array: this package. Throws ArgumentError for versions of the standard it does not follow.
nb::object array_namespace(nb::handle api_version) {
  const nb::module_ package = nb::module_::import_("penstock");
  if (!api_version.is_none() && !nb::cast<bool>(package.attr("_api").attr("follows")(api_version))) {
    throw ArgumentError(
        cat("array API version ", repr_text(api_version), " is not supported; 2024.12 and 2025.12 are"));
  }
  return package;
}

template <class C>
void bind_methods(C& cls) {
  cls.def(
      "__array_namespace__", [](const nb::object&, nb::handle api_version) { return array_namespace(api_version); },
      nb::kw_only(), nb::arg("api_version").none() = nb::none(), doc_of("Array.__array_namespace__").c_str(),
      nb::sig("def __array_namespace__(self, *, api_version: str | None = None) -> types.ModuleType"));
  static const std::string doc = cat("reshape($self, /, *shape)\n--\n\n", doc_of("Array.reshape"));
  static PyMethodDef reshape_row = {"reshape",
                                    reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&reshape_method)),
                                    METH_FASTCALL, doc.c_str()};
  cls.attr("reshape") = nb::steal(PyDescr_NewMethod(array_class, &reshape_row));
  cls.def(
      "transpose",
      [](const Array& self, const nb::args& axes) {
        Dims order = axes.size() == 0 ? Dims() : dims_of_arguments(items_of(axes.ptr()), "axes");
        if (axes.size() == 0) {
          for (std::int64_t axis = self.ndim(); axis-- > 0;) order.push_back(axis);
        }
        return permute_dims(self, order);
      },
      doc_of("Array.transpose").c_str(), nb::sig("def transpose(self, *axes: Ints) -> Array"));
  def_unary<Op::k_conj>(cls, "conj");
  def_unary<Op::k_round>(cls, "round");
  cls.def_prop_ro(
      "real", [](const Array& self) { return kind_of(self.dtype()) == Kind::kComplex ? real(self) : self; },
      doc_of("Array.real").c_str());
  cls.def_prop_ro(
      "imag",
      [](const Array& self) {
        const Number zero{Kind::kInt, std::int64_t{0}};
        return kind_of(self.dtype()) == Kind::kComplex ? imag(self) : full(self.shape(), zero, self.dtype());
      },
      doc_of("Array.imag").c_str());
  cls.def(
      "ravel", [](const Array& self) { return object_of(reshape(self, {-1})); }, doc_of("Array.ravel").c_str(),
      nb::sig("def ravel(self) -> Array"));
  cls.def(
      "to_device",
      [](const nb::object& self, nb::handle device, nb::handle) {
        if (!device.equal(nb::str("cpu"))) {
          throw ArgumentError(cat("device ", repr_text(device), " is unknown; there is 'cpu'"));
        }
        return self;
      },
      nb::arg("device").none(), nb::kw_only(), nb::arg("stream").none() = nb::none(), doc_of("Array.to_device").c_str(),
      nb::sig("def to_device(self, device: str, /, *, stream: object = None) -> Array"));
}

}  // namespace

Array& array_in(nb::handle self) {
  if (Array* array = array_or_null(self)) return *array;
  throw DTypeError(cat("a method of arrays cannot take ", repr_text(self)));
}

void become(Array& self, const Array& result) {
  if (result.shape() != self.shape()) {
    throw ShapeError(cat("in place, shape ", shape_text(self.shape()), " cannot become ", shape_text(result.shape())));
  }
  if (result.dtype() != self.dtype()) {
    throw DTypeError(cat("in place, ", name_of(self.dtype()), " cannot become ", name_of(result.dtype()),
                         "; convert it with astype"));
  }
  self = result;
}

// Making a node takes less time than passing the interpreter's lock on: settle() gives it up where it evaluates.
nb::object calculated(Op op, std::span<const Operand> operands) {
  if (std::optional<Array> done = elementwise_at_once(op, operands)) return object_of(std::move(*done));
  return object_of(elementwise(op, operands));
}

void bind_array(nb::module_& m) {
  ArrayClass cls(m, "Array", nb::type_slots(slots), nb::is_weak_referenceable(), nb::pooled(),
                 "A lazy array of any size. Numbers are computed when somebody looks: numpy.asarray, save, "
                 "evaluate, float, tolist.\n\nArrays are made by asarray, open and the creation functions. Array API "
                 "standard 2025.12: array_object.");
  array_class = reinterpret_cast<PyTypeObject*>(cls.ptr());
  cls.def_prop_ro("nbytes", &Array::nbytes, doc_of("Array.nbytes").c_str());
  cls.def_prop_ro("evaluated", &Array::evaluated, doc_of("Array.evaluated").c_str(),
                  nb::for_getter(nb::sig("def evaluated(self, /) -> builtins.bool")));
  cls.def_prop_ro(
      "T",
      [](const Array& self) {
        if (self.ndim() != 2)
          throw ShapeError(cat("T needs 2 dimensions; got shape ", shape_text(self.shape()), "; use permute_dims"));
        return object_of(matrix_transpose(self));
      },
      doc_of("Array.T").c_str(), nb::for_getter(nb::sig("def T(self, /) -> Array")));
  cls.def_prop_ro(
      "mT", [](const Array& self) { return object_of(matrix_transpose(self)); }, doc_of("Array.mT").c_str(),
      nb::for_getter(nb::sig("def mT(self, /) -> Array")));
  cls.def_prop_ro(
      "device", [](const Array&) { return "cpu"; }, doc_of("Array.device").c_str());
  cls.def(
      "sources",
      [](const Array& self) {
        nb::list list;
        for (const std::string& path : sources(self)) list.append(path);
        return list;
      },
      doc_of("Array.sources").c_str(), nb::sig("def sources(self) -> list[str]"));
  cls.attr("__hash__") = nb::none();
  cls.attr("__array_priority__") = kPriority;
  bind_operators(cls);
  bind_attributes(cls);
  bind_buffers(cls);
  bind_ufunc(cls);
  bind_references(m, cls);
  bind_scalars(cls);
  bind_showing(m, cls);
  bind_items(cls);
  bind_methods(cls);
}

}  // namespace penstock::bind
