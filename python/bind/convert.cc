// SPDX-License-Identifier: Apache-2.0
// Python objects as arrays, numbers and dimensions.

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

#include "bind.h"
#include "penstock/base/error.h"
#include "penstock/measure/counters.h"

namespace penstock::bind {
namespace {

/// Memory behind a Python buffer, kept alive until the last array is gone.
class BufferMemory final : public memory::Memory {
 public:
  explicit BufferMemory(const Py_buffer& view) : view_(view) {}
  ~BufferMemory() override {
    // After the interpreter has ended there is nobody left to give the buffer back to.
    if (const Locked lock; lock) PyBuffer_Release(&view_);
  }
  std::byte* data() const override { return static_cast<std::byte*>(view_.buf); }

 private:
  mutable Py_buffer view_;
};

struct Format {
  DType dtype;
  bool native;
};

/// A PEP 3118 format of one element; nothing for what Penstock does not hold.
std::optional<Format> format_of(std::string_view text, std::int64_t itemsize) {
  bool native = true;
  if (!text.empty() && std::string_view("<>=@!|").find(text[0]) != std::string_view::npos) {
    native = text[0] != '>' && text[0] != '!';
    text.remove_prefix(1);
  }
  const auto of = [&](Kind kind) -> std::optional<Format> {
    for (int i = 0; i < kDTypeCount; ++i) {
      if (kDTypes[i].kind == kind && kDTypes[i].size == itemsize) return Format{static_cast<DType>(i), native};
    }
    return std::nullopt;
  };
  if (text == "?") return of(Kind::kBool);
  if (text == "Zf" || text == "Zd") return of(Kind::kComplex);
  if (text.size() != 1) return std::nullopt;
  if (std::string_view("bhilqn").find(text[0]) != std::string_view::npos) return of(Kind::kInt);
  if (std::string_view("BHILQN").find(text[0]) != std::string_view::npos) return of(Kind::kUInt);
  if (std::string_view("efd").find(text[0]) != std::string_view::npos) return of(Kind::kFloat);
  return std::nullopt;
}

/// Extents and strides of a buffer. Some exporters (ctypes) leave out what follows from the rest, asked or not.
Layout layout_of(const Py_buffer& view) {
  Dims shape;
  for (int i = 0; i < view.ndim; ++i) shape.push_back(view.shape != nullptr ? view.shape[i] : view.len / view.itemsize);
  Layout layout = contiguous(shape, view.itemsize);
  for (int i = 0; i < view.ndim && view.strides != nullptr; ++i) {
    layout.strides[static_cast<std::size_t>(i)] = view.strides[i];
  }
  return layout;
}

/// What NumPy's array objects begin with: members of its stable ABI (PyArrayObject_fields of ndarraytypes.h).
struct NdarrayHead {
  PyObject head;
  char* data;
  int nd;
  Py_ssize_t* dimensions;
  Py_ssize_t* strides;
  PyObject* base;
  PyObject* descr;
};

const NdarrayHead& head_of(nb::handle array) { return *reinterpret_cast<const NdarrayHead*>(array.ptr()); }

/// NumPy's class and the dtypes that stand for ours, one object each in native byte order.
struct Ndarrays {
  PyTypeObject* type = nullptr;  // null where heads are not what they should be
  PyObject* descr[kDTypeCount] = {};

  Ndarrays() {
    const nb::module_ numpy = nb::module_::import_("numpy");
    for (int i = 0; i < kDTypeCount; ++i) {
      descr[i] = nb::object(numpy.attr("dtype")(kDTypes[i].name)).release().ptr();
    }
    const nb::object sample = numpy.attr("zeros")(nb::make_tuple(2, 3), "float32");
    Py_buffer view;
    if (PyObject_GetBuffer(sample.ptr(), &view, PyBUF_STRIDED_RO) != 0) throw nb::python_error();
    const NdarrayHead& head = head_of(sample);
    const bool same = head.data == view.buf && head.nd == 2 && head.dimensions[1] == 3 && head.strides[0] == 12 &&
                      head.descr == descr[index_of(DType::k_float32)];
    PyBuffer_Release(&view);
    if (same) type = Py_TYPE(nb::object(sample).release().ptr());
  }
};

/// An object that owns the memory, kept alive until the last array is gone.
class ObjectMemory final : public memory::Memory {
 public:
  ObjectMemory(PyObject* owner, void* data) : owner_(Py_NewRef(owner)), data_(static_cast<std::byte*>(data)) {}
  ~ObjectMemory() override {
    if (const Locked lock; lock) Py_DECREF(owner_);
  }
  std::byte* data() const override { return data_; }

 private:
  PyObject* owner_;
  std::byte* data_;
};

}  // namespace

bool is_list(nb::handle object) { return PyList_Check(object.ptr()) != 0 || PyTuple_Check(object.ptr()) != 0; }

// Without the detour over a buffer's description in text.
std::optional<Array> borrowed_ndarray(nb::handle object) {
  // An object of NumPy's is there only once NumPy is; whether it is, is asked until it is.
  static bool imported = false;
  if (!imported) imported = PyDict_GetItemString(PyImport_GetModuleDict(), "numpy") != nullptr;
  if (!imported) return std::nullopt;
  const Ndarrays* known = made_once([] { return new Ndarrays; });
  if (Py_TYPE(object.ptr()) != known->type) return std::nullopt;
  const NdarrayHead& head = head_of(object);
  const auto* const found = std::find(std::begin(known->descr), std::end(known->descr), head.descr);
  if (found == std::end(known->descr) || head.nd > kMaxRank) return std::nullopt;
  Layout layout;
  for (int i = 0; i < head.nd; ++i) {
    layout.shape.push_back(head.dimensions[i]);
    layout.strides.push_back(head.strides[i]);
  }
  const auto dtype = static_cast<DType>(found - std::begin(known->descr));
  return borrow(dtype, std::make_shared<ObjectMemory>(object.ptr(), head.data), std::move(layout));
}

namespace {

/// Whether an object is one of NumPy's scalars that are no numbers: dates and texts offer their bytes as a buffer.
bool is_no_number(nb::handle object) {
  PyObject* const classes = made_once([] {
    const nb::module_ numpy = nb::module_::import_("numpy");
    return nb::make_tuple(numpy.attr("datetime64"), numpy.attr("timedelta64"), numpy.attr("flexible")).release().ptr();
  });
  const int is = PyObject_IsInstance(object.ptr(), classes);
  if (is < 0) throw nb::python_error();
  return is != 0;
}

/// Borrowed without a copy; nothing when the object offers no buffer of a native dtype.
std::optional<Array> borrowed(nb::handle object) {
  if (std::optional<Array> array = borrowed_ndarray(object)) return array;
  if (!PyObject_CheckBuffer(object.ptr()) || is_no_number(object)) return std::nullopt;
  Py_buffer view;
  if (PyObject_GetBuffer(object.ptr(), &view, PyBUF_STRIDED_RO | PyBUF_FORMAT) != 0) {
    PyErr_Clear();
    return std::nullopt;
  }
  const std::optional<Format> format = format_of(view.format == nullptr ? "B" : view.format, view.itemsize);
  if (!format || !format->native || (view.ndim > 0 && view.suboffsets != nullptr)) {
    PyBuffer_Release(&view);
    return std::nullopt;
  }
  return borrow(format->dtype, std::make_shared<BufferMemory>(view), layout_of(view));
}

/// A DLPack tensor of another library, without a copy; nothing for what is none.
std::optional<Array> from_dlpack(nb::handle object) {
  if (!nb::hasattr(object, "__dlpack__")) return std::nullopt;
  try {
    return borrowed(nb::module_::import_("numpy").attr("from_dlpack")(object));
  } catch (const nb::python_error& error) {
    if (error.matches(PyExc_KeyboardInterrupt)) throw;
    return std::nullopt;
  }
}

/// Says what NumPy made of an object that is no array of numbers.
[[noreturn]] void refuse(nb::handle object, const nb::object& made) {
  // Integers that no dtype holds make a list one of objects.
  if (is_list(object)) {
    for (nb::handle each : nb::borrow<nb::list>(made.attr("ravel")().attr("tolist")())) try_number_of(each);
  }
  throw DTypeError(cat("an array of ", str_text(made.attr("dtype")), ", made of ", type_text(object),
                       ", holds no numbers; Penstock takes bool, integers, floats and complex"));
}

/// A copy that NumPy makes: of lists, byte-swapped arrays. Nothing for objects it can make no numbers of.
std::optional<Array> through_numpy(nb::handle object) {
  try {
    nb::object made = nb::module_::import_("numpy").attr("asarray")(object);
    const auto kind = nb::cast<std::string>(made.attr("dtype").attr("kind"));
    if (std::string_view("biufc").find(kind[0]) == std::string_view::npos) refuse(object, made);
    if (!nb::cast<bool>(made.attr("dtype").attr("isnative"))) {
      made = made.attr("astype")(made.attr("dtype").attr("newbyteorder")("="));
    }
    measure::add(measure::Counter::k_bytes_copied, nb::cast<std::int64_t>(made.attr("nbytes")));
    std::optional<Array> array = borrowed(made);
    if (!array)
      throw DTypeError(cat("an array of ", str_text(made.attr("dtype")), " is of a size Penstock does not hold"));
    return array;
  } catch (const nb::python_error& error) {
    if (error.matches(PyExc_KeyboardInterrupt)) throw;
    if (error.matches(PyExc_ValueError) && is_list(object)) {
      throw ArgumentError(
          cat("cannot make an array of a ", type_text(object), " of uneven lengths: ", str_text(error.value())));
    }
    return std::nullopt;
  }
}

}  // namespace

std::optional<Array> try_borrow(nb::handle object) {
  if (const Array* array = array_or_null(object)) return *array;
  if (std::optional<Array> array = borrowed(object)) return array;
  return from_dlpack(object);
}

std::optional<Array> try_array_of(nb::handle object) {
  if (nb::isinstance<nb::str>(object) || object.is_none()) return std::nullopt;
  if (std::optional<Array> array = try_borrow(object)) return array;
  return through_numpy(object);
}

Array array_of(nb::handle object) {
  if (std::optional<Array> array = try_array_of(object)) return *array;
  throw DTypeError(cat("cannot make an array of ", type_text(object)));
}

std::optional<Number> try_number_of(nb::handle object) {
  PyObject* p = object.ptr();
  if (PyBool_Check(p)) return Number{Kind::kBool, p == Py_True};
  if (PyLong_Check(p)) {
    int overflow = 0;
    const long long value = PyLong_AsLongLongAndOverflow(p, &overflow);
    if (overflow == 0) return Number{Kind::kInt, static_cast<std::int64_t>(value)};
    const unsigned long long large = overflow > 0 ? PyLong_AsUnsignedLongLong(p) : 0;
    if (overflow < 0 || PyErr_Occurred()) {
      PyErr_Clear();
      throw ArgumentError(cat("the integer ", str_text(object), " is outside 64 bits"));
    }
    return Number{Kind::kInt, static_cast<std::uint64_t>(large)};
  }
  // NumPy's float64 and complex128 scalars are Python numbers too, but carry a dtype: they are arrays here.
  if (PyFloat_CheckExact(p)) return Number{Kind::kFloat, PyFloat_AS_DOUBLE(p)};
  if (PyComplex_CheckExact(p)) {
    return Number{Kind::kComplex, std::complex<double>(PyComplex_RealAsDouble(p), PyComplex_ImagAsDouble(p))};
  }
  return std::nullopt;
}

Number number_of(nb::handle object) {
  if (const std::optional<Number> number = try_number_of(object)) return *number;
  if (nb::hasattr(object, "item")) {
    if (const std::optional<Number> number = try_number_of(object.attr("item")())) return *number;
  }
  throw DTypeError(cat("expected a number; got ", repr_text(object)));
}

std::optional<Operand> other_operand(nb::handle object) {
  try {
    return operand_of(object);
  } catch (const DTypeError&) {
    if (is_list(object) || PyObject_CheckBuffer(object.ptr()) != 0 || nb::hasattr(object, "__array__")) throw;
    return std::nullopt;
  }
}

std::optional<Operand> operand_of(nb::handle object) {
  if (const Array* array = array_or_null(object)) return Operand(*array);
  if (const std::optional<Number> number = try_number_of(object)) {
    return std::visit([](auto value) { return Operand(value); }, number->value);
  }
  if (std::optional<Array> array = try_array_of(object)) return Operand(std::move(*array));
  return std::nullopt;
}

namespace {

std::int64_t dim_of(PyObject* item, const char* what) {
  if (PyLong_CheckExact(item)) {
    int overflow = 0;
    const long long value = PyLong_AsLongLongAndOverflow(item, &overflow);
    if (overflow == 0) return static_cast<std::int64_t>(value);
  }
  PyObject* index = PyNumber_Index(item);
  if (index == nullptr) {
    PyErr_Clear();
    throw DTypeError(cat(what, " takes integers; got ", repr_text(item)));
  }
  const long long value = PyLong_AsLongLong(index);
  Py_DECREF(index);
  if (value == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    throw ArgumentError(cat(what, ": ", repr_text(item), " is outside 64 bits"));
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace

Dims dims_of(std::span<PyObject* const> items, const char* what) {
  Dims dims;
  for (PyObject* item : items) dims.push_back(dim_of(item, what));
  return dims;
}

Dims dims_of(nb::handle object, const char* what) {
  if (PyTuple_CheckExact(object.ptr())) return dims_of(items_of(object.ptr()), what);
  if (PyIndex_Check(object.ptr())) return {dim_of(object.ptr(), what)};
  if (!PySequence_Check(object.ptr()) || nb::isinstance<nb::str>(object)) {
    throw DTypeError(cat(what, " takes an integer or a tuple of integers; got ", repr_text(object)));
  }
  Dims dims;
  for (nb::handle item : nb::borrow<nb::object>(object)) dims.push_back(dim_of(item.ptr(), what));
  return dims;
}

std::int64_t clipped(nb::handle object, const char* what) {
  if (!PyIndex_Check(object.ptr())) throw DTypeError(cat(what, " takes an integer; got ", repr_text(object)));
  const Py_ssize_t n = PyNumber_AsSsize_t(object.ptr(), nullptr);
  if (n == -1 && PyErr_Occurred()) throw nb::python_error();
  return n;
}

std::optional<Dims> optional_dims(nb::handle object, const char* what) {
  if (object.is_none()) return std::nullopt;
  return dims_of(object, what);
}

std::int64_t whole_of(nb::handle object, const char* what) {
  if (!PyIndex_Check(object.ptr())) throw DTypeError(cat(what, " takes an integer; got ", repr_text(object)));
  return dim_of(object.ptr(), what);
}

std::optional<std::int64_t> optional_whole(nb::handle object, const char* what) {
  if (object.is_none()) return std::nullopt;
  return whole_of(object, what);
}

double real_of(nb::handle object, const char* what) {
  if (PyFloat_CheckExact(object.ptr())) return PyFloat_AS_DOUBLE(object.ptr());
  const double value = PyFloat_AsDouble(object.ptr());
  if (value == -1 && PyErr_Occurred() != nullptr) {
    const bool large = PyErr_ExceptionMatches(PyExc_OverflowError) != 0;
    if (!large && PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw nb::python_error();
    PyErr_Clear();
    if (large) throw ArgumentError(cat(what, ": ", repr_text(object), " is outside float64"));
    throw DTypeError(cat(what, " takes a real number; got ", repr_text(object)));
  }
  return value;
}

bool flag_of(nb::handle object, const char* what) {
  if (object.ptr() == Py_True) return true;
  if (object.ptr() == Py_False) return false;
  // NumPy's own True and False are no integers.
  PyObject* const numpys =
      made_once([] { return nb::object(nb::module_::import_("numpy").attr("bool_")).release().ptr(); });
  if (!PyIndex_Check(object.ptr()) && Py_TYPE(object.ptr()) != reinterpret_cast<PyTypeObject*>(numpys)) {
    throw DTypeError(cat(what, " takes True or False; got ", repr_text(object)));
  }
  const int value = PyObject_IsTrue(object.ptr());
  if (value < 0) throw nb::python_error();
  return value != 0;
}

std::optional<bool> optional_flag(nb::handle object, const char* what) {
  if (object.is_none()) return std::nullopt;
  return flag_of(object, what);
}

std::string str_text(nb::handle object) {
  return nb::cast<std::string>(nb::steal<nb::object>(PyObject_Str(object.ptr())));
}
std::string repr_text(nb::handle object) {
  constexpr std::size_t kMost = 200;  // bytes: a list may have millions of items
  std::string text = nb::cast<std::string>(nb::steal<nb::object>(PyObject_Repr(object.ptr())));
  if (text.size() <= kMost) return text;
  std::size_t end = kMost;
  while ((text[end] & 0xc0) == 0x80) --end;  // whole characters of UTF-8
  return text.substr(0, end) + "...";
}
std::string type_text(nb::handle object) { return Py_TYPE(object.ptr())->tp_name; }

nb::tuple tuple_of(const Dims& dims) {
  PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(dims.size()));
  for (std::size_t i = 0; tuple != nullptr && i < dims.size(); ++i)
    PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), PyLong_FromLongLong(dims[i]));
  return nb::steal<nb::tuple>(tuple);
}

void take(Array& out, Array result) {
  if (out.shape() != result.shape())
    throw ShapeError(cat("out has shape ", shape_text(out.shape()), "; the result has ", shape_text(result.shape())));
  if (out.dtype() != result.dtype()) {
    throw DTypeError(cat("out has dtype ", name_of(out.dtype()), "; the result has ", name_of(result.dtype()),
                         "; convert it with astype"));
  }
  out = std::move(result);
}

nb::object finish(const Array& result, nb::handle out) {
  if (out.is_none()) return nb::cast(result);
  if (Array* array = array_or_null(out)) {
    take(*array, result);
    return nb::borrow<nb::object>(out);
  }
  Py_buffer view;
  if (PyObject_GetBuffer(out.ptr(), &view, PyBUF_STRIDED | PyBUF_WRITABLE | PyBUF_FORMAT) != 0) {
    PyErr_Clear();
    throw ArgumentError("out must be a Penstock array or a writable NumPy array");
  }
  auto memory = std::make_shared<BufferMemory>(view);
  const std::optional<Format> format = format_of(view.format == nullptr ? "B" : view.format, view.itemsize);
  if (!format || !format->native) throw DTypeError("out has a dtype Penstock does not hold");
  const Layout layout = layout_of(view);
  const run::Options how = options();
  unlocked([&] { evaluate_into(result, format->dtype, memory, layout, how); });
  return nb::borrow<nb::object>(out);
}

}  // namespace penstock::bind
