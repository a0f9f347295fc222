// SPDX-License-Identifier: Apache-2.0
// The Array class: operators, indexing, and the doors by which NumPy looks inside.

#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <set>

#include "bind.h"
#include "penstock/base/error.h"
#include "penstock/base/text.h"
#include "slots.h"

namespace penstock::bind {
namespace {

PyTypeObject* array_type = nullptr;

nb::object not_implemented() { return nb::borrow<nb::object>(Py_NotImplemented); }

/// Making a node takes less time than passing the interpreter's lock on: settle() gives it up where it evaluates.
nb::object calculated(Op op, std::span<const Operand> operands) {
  if (std::optional<Array> done = elementwise_at_once(op, operands)) return object_of(std::move(*done));
  return object_of(elementwise(op, operands));
}

template <Op op, bool reflected>
nb::object binary(const Array& self, nb::handle other) {
  std::optional<Operand> operand = operand_of(other);
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
  if (PyObject_TypeCheck(a, array_class())) {
    PyObject* result = PyObject_CallMethodOneArg(a, interned<name>(), b);
    if (result != Py_NotImplemented) return result;
    Py_DECREF(result);
  }
  if (PyObject_TypeCheck(b, array_class())) return PyObject_CallMethodOneArg(b, interned<reflected>(), a);
  Py_RETURN_NOTIMPLEMENTED;
}

/// An operand of fast_binary: an array, which the interpreter's lock keeps as it is, or a number. Nothing for
/// subclasses and all else.
std::optional<Operand> plain_operand(PyObject* object) {
  if (const Array* array = plain_array(object)) return Operand::borrowed(*array);
  if (PyFloat_CheckExact(object)) return Operand(PyFloat_AS_DOUBLE(object));
  return std::nullopt;
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
  const Array result = elementwise(op, operands);
  if (result.shape() != self.shape()) {
    throw ShapeError(cat("in place, shape ", shape_text(self.shape()), " cannot become ", shape_text(result.shape())));
  }
  if (result.dtype() != self.dtype()) {
    throw DTypeError(cat("in place, ", name_of(self.dtype()), " cannot become ", name_of(result.dtype()),
                         "; convert it with astype"));
  }
  self = result;
  return self;
}

template <Op op>
nb::object unary(const Array& self) {
  const Operand operands[] = {self};
  return calculated(op, operands);
}

template <Op op, class C>
void def_operator(C& cls, const char* name, const char* reflected, const char* assigned) {
  const auto signature = [](const char* method) { return cat("def ", method, "(self, other: object, /) -> Array"); };
  cls.def(name, &binary<op, false>, nb::arg("other").none(), nb::is_operator(), nb::sig(signature(name).c_str()));
  if (reflected != nullptr) {
    cls.def(reflected, &binary<op, true>, nb::arg("other").none(), nb::is_operator(),
            nb::sig(signature(reflected).c_str()));
  }
  if (assigned != nullptr) {
    cls.def(assigned, &in_place<op>, nb::arg("other").none(), nb::rv_policy::none,
            nb::sig(signature(assigned).c_str()));
  }
}

template <Op op, class C>
void def_unary(C& cls, const char* name) {
  cls.def(name, &unary<op>, nb::sig(cat("def ", name, "(self) -> Array").c_str()));
}

/// What a buffer view of an array keeps until it is released.
struct Exported {
  graph::InMemory data;
  std::string format;
};

const char* format_text(DType dtype) {
  switch (dtype) {
    case DType::k_bool:
      return "?";
    case DType::k_int8:
      return "b";
    case DType::k_int16:
      return "h";
    case DType::k_int32:
      return "i";
    case DType::k_int64:
      return "q";
    case DType::k_uint8:
      return "B";
    case DType::k_uint16:
      return "H";
    case DType::k_uint32:
      return "I";
    case DType::k_uint64:
      return "Q";
    case DType::k_float16:
      return "e";
    case DType::k_float32:
      return "f";
    case DType::k_float64:
      return "d";
    case DType::k_complex64:
      return "Zf";
    case DType::k_complex128:
      return "Zd";
  }
  return "";
}

int get_buffer(PyObject* object, Py_buffer* view, int flags) {
  try {
    if ((flags & PyBUF_WRITABLE) == PyBUF_WRITABLE) {
      PyErr_SetString(PyExc_BufferError,
                      "a Penstock array is a value: its memory is read-only; copy it with numpy.array");
      return -1;
    }
    const Array array = nb::cast<const Array&>(nb::handle(object));
    auto exported = std::make_unique<Exported>();
    const run::Options how = options();
    exported->data = unlocked([&] { return array.data(how); });
    const Layout& layout = exported->data.layout;
    const std::int64_t size = size_of(array.dtype());
    if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES && !is_contiguous(layout, size)) {
      PyErr_SetString(PyExc_BufferError, "the array is not contiguous");
      return -1;
    }
    view->buf = exported->data.memory->data() + layout.offset;
    view->obj = Py_NewRef(object);
    view->len = layout.size() * size;
    view->itemsize = size;
    view->readonly = 1;
    view->ndim = layout.rank();
    view->format = (flags & PyBUF_FORMAT) != 0 ? const_cast<char*>(format_text(array.dtype())) : nullptr;
    static_assert(sizeof(Py_ssize_t) == sizeof(std::int64_t));
    view->shape = (flags & PyBUF_ND) != 0 ? reinterpret_cast<Py_ssize_t*>(exported->data.layout.shape.data()) : nullptr;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES
                        ? reinterpret_cast<Py_ssize_t*>(exported->data.layout.strides.data())
                        : nullptr;
    view->suboffsets = nullptr;
    view->internal = exported.release();
    return 0;
  } catch (...) {
    set_error();
  }
  view->obj = nullptr;
  return -1;
}

void release_buffer(PyObject*, Py_buffer* view) { delete static_cast<Exported*>(view->internal); }

PyType_Slot slots[] = {{Py_tp_getset, array_attributes()},
                       {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
                       {Py_bf_releasebuffer, reinterpret_cast<void*>(release_buffer)},
                       {0, nullptr}};

nb::object array_protocol(const nb::object& self, nb::handle dtype, nb::handle copy) {
  nb::object array = to_numpy(self);
  const bool converts =
      !dtype.is_none() && !array.attr("dtype").equal(nb::module_::import_("numpy").attr("dtype")(dtype));
  if (copy.ptr() == Py_False && converts) throw ArgumentError("another dtype needs a copy, and copy=False forbids it");
  if (converts) return array.attr("astype")(dtype);
  return copy.ptr() == Py_True ? nb::object(array.attr("copy")()) : array;
}

/// Calls `visit` once with each node of the expression. The caller holds graph_mutex().
template <class Visit>
void walk(const Array& array, const Visit& visit) {
  std::vector<graph::NodeRef> stack{array.node()};
  std::set<const graph::Node*> seen;
  while (!stack.empty()) {
    const graph::NodeRef node = stack.back();
    stack.pop_back();
    if (!seen.insert(node.get()).second) continue;
    visit(*node);
    for (const graph::NodeRef& input : node->inputs) stack.push_back(input);
  }
}

std::vector<std::string> sources(const Array& array) {
  const std::lock_guard lock(graph::graph_mutex());
  std::vector<std::string> paths;
  walk(array, [&](const graph::Node& node) {
    if (const auto* file = node.as<graph::InFile>()) paths.push_back(file->file->path());
  });
  return paths;
}

/// Whether showing the values takes no time worth speaking of: everything is small and no file is read.
bool shows_values(const Array& array) {
  constexpr std::int64_t kShown = 1000;
  constexpr std::int64_t kSmall = 1 << 20;
  if (array.size() > kShown) return false;
  const std::lock_guard lock(graph::graph_mutex());
  bool small = true;
  if (graph::resident(*array.node())) return true;
  walk(array, [&](const graph::Node& node) { small = small && node.bytes() <= kSmall && !node.as<graph::InFile>(); });
  return small;
}

std::string repr(const nb::object& self) {
  const Array& array = nb::cast<const Array&>(self);
  if (shows_values(array)) {
    const auto text = nb::cast<std::string>(nb::module_::import_("numpy").attr("array2string")(
        to_numpy(self), nb::arg("separator") = ", ", nb::arg("prefix") = "Array("));
    return cat("Array(", text, ", dtype=", name_of(array.dtype()), ")");
  }
  std::string what;
  {
    const std::lock_guard lock(graph::graph_mutex());
    what = graph::resident(*array.node()) ? "in memory" : cat("lazy: ", graph::node_text(*array.node()));
  }
  return cat("<Array ", name_of(array.dtype()), " ", shape_text(array.shape()), " ", bytes_text(array.nbytes()), ", ",
             what, ">");
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

template <class C>
void bind_protocols(C& cls) {
  // NumPy's operators give way: numpy_array + array is computed here.
  cls.attr("__array_ufunc__") = nb::none();
  cls.attr("__hash__") = nb::none();
  cls.def("__array__", &array_protocol, nb::arg("dtype").none() = nb::none(), nb::arg("copy").none() = nb::none(),
          nb::sig("def __array__(self, dtype: numpy.typing.DTypeLike | None = None, copy: builtins.bool | None = None) "
                  "-> numpy.typing.NDArray[typing.Any]"));
  cls.def(
      "__dlpack__",
      [](const nb::object& self, const nb::kwargs& kwargs) { return to_numpy(self).attr("__dlpack__")(**kwargs); },
      nb::sig("def __dlpack__(self, *, stream: int | None = None, max_version: tuple[int, int] | None = None, "
              "dl_device: tuple[int, int] | None = None, copy: builtins.bool | None = None) -> typing.Any"));
  cls.def(
      "__dlpack_device__", [](const nb::object&) { return nb::make_tuple(1, 0); },
      nb::sig("def __dlpack_device__(self) -> tuple[int, int]"));
  cls.def(
      "__array_namespace__", [](const nb::object&, nb::handle api_version) { return array_namespace(api_version); },
      nb::kw_only(), nb::arg("api_version").none() = nb::none(),
      nb::sig("def __array_namespace__(self, *, api_version: str | None = None) -> types.ModuleType"));
}

/// Shapes and axes as one tuple or as several integers.
Dims dims_of_arguments(const nb::args& arguments, const char* what) {
  const bool one = arguments.size() == 1 && !PyIndex_Check(nb::handle(arguments[0]).ptr());
  return one ? dims_of(arguments[0], what) : dims_of(arguments, what);
}

template <class C>
void bind_methods(C& cls) {
  cls.def(
      "reshape",
      [](const Array& self, const nb::args& shape) {
        return object_of(reshape(self, dims_of_arguments(shape, "shape")));
      },
      "The elements in C order in another shape; one extent may be -1.",
      nb::sig("def reshape(self, *shape: Ints) -> Array"));
  cls.def(
      "transpose",
      [](const Array& self, const nb::args& axes) {
        Dims order = axes.size() == 0 ? Dims() : dims_of_arguments(axes, "axes");
        if (axes.size() == 0) {
          for (std::int64_t axis = self.ndim(); axis-- > 0;) order.push_back(axis);
        }
        return permute_dims(self, order);
      },
      "Axes in another order, without arguments reversed; a view.",
      nb::sig("def transpose(self, *axes: Ints) -> Array"));
  def_unary<Op::k_conj>(cls, "conj");
  def_unary<Op::k_round>(cls, "round");
  cls.def_prop_ro(
      "real", [](const Array& self) { return real(self); }, "The real part.");
  cls.def_prop_ro(
      "imag", [](const Array& self) { return imag(self); }, "The imaginary part.");
  cls.def(
      "to_device",
      [](const nb::object& self, nb::handle device, nb::handle) {
        if (!device.equal(nb::str("cpu"))) {
          throw ArgumentError(cat("device ", repr_text(device), " is unknown; there is 'cpu'"));
        }
        return self;
      },
      nb::arg("device").none(), nb::kw_only(), nb::arg("stream").none() = nb::none(),
      "The array itself: all are on the CPU.",
      nb::sig("def to_device(self, device: str, /, *, stream: object = None) -> Array"));
}

}  // namespace

PyTypeObject* array_class() { return array_type; }

nb::object to_numpy(const nb::object& array) {
  const nb::module_ numpy = nb::module_::import_("numpy");
  // By the buffer, never by __array__, which would come back here.
  return numpy.attr("asarray")(nb::steal<nb::object>(PyMemoryView_FromObject(array.ptr())));
}

void bind_array(nb::module_& m) {
  nb::class_<Array> cls(m, "Array", nb::type_slots(slots), nb::is_weak_referenceable(), nb::pooled(),
                        "A lazy array of any size. Numbers are computed when somebody looks: numpy.asarray, save, "
                        "evaluate, float, tolist.");
  array_type = reinterpret_cast<PyTypeObject*>(cls.ptr());
  cls.def_prop_ro("nbytes", &Array::nbytes, "Bytes of all elements.");
  cls.def_prop_ro("evaluated", &Array::evaluated, "Whether the elements lie in memory.",
                  nb::for_getter(nb::sig("def evaluated(self, /) -> builtins.bool")));
  cls.def_prop_ro(
      "T",
      [](const Array& self) {
        if (self.ndim() != 2)
          throw ShapeError(cat("T needs 2 dimensions; got shape ", shape_text(self.shape()), "; use permute_dims"));
        return object_of(matrix_transpose(self));
      },
      nb::for_getter(nb::sig("def T(self, /) -> Array")));
  cls.def_prop_ro(
      "mT", [](const Array& self) { return object_of(matrix_transpose(self)); },
      nb::for_getter(nb::sig("def mT(self, /) -> Array")));
  cls.def_prop_ro("device", [](const Array&) { return "cpu"; });
  cls.def(
      "sources",
      [](const Array& self) {
        nb::list list;
        for (const std::string& path : sources(self)) list.append(path);
        return list;
      },
      "Paths of the files that the array reads when it is evaluated.", nb::sig("def sources(self) -> list[str]"));
  bind_operators(cls);
  bind_protocols(cls);
  bind_scalars(cls);
  cls.def("__repr__", &repr);
  bind_items(cls);
  bind_methods(cls);
}

}  // namespace penstock::bind
