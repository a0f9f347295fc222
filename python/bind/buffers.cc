// SPDX-License-Identifier: Apache-2.0
// The elements for others to read: the buffer protocol, NumPy's __array__, DLPack.

#include <memory>

#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"
#include "slots.h"

namespace penstock::bind {
namespace {

/// What a buffer view of an array keeps until it is released.
struct Exported {
  graph::InMemory data;
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

nb::object array_protocol(const nb::object& self, nb::handle dtype, nb::handle copy) {
  nb::object array = to_numpy(self);
  const bool converts =
      !dtype.is_none() && !array.attr("dtype").equal(nb::module_::import_("numpy").attr("dtype")(dtype));
  if (copy.ptr() == Py_False && converts) throw ArgumentError("another dtype needs a copy, and copy=False forbids it");
  if (converts) return array.attr("astype")(dtype);
  return copy.ptr() == Py_True ? nb::object(array.attr("copy")()) : array;
}

[[noreturn]] void raise_buffer_error(const std::string& text) {
  PyErr_SetString(PyExc_BufferError, text.c_str());
  throw nb::python_error();
}

/// Whether this thread lends memory that NumPy passes on to a consumer that can't be told that it is read-only.
thread_local bool lends_unmarked = false;
struct Lending {
  explicit Lending(bool unmarked) { lends_unmarked = unmarked; }
  ~Lending() { lends_unmarked = false; }
};

/// A capsule of the elements. Consumers that know versions from 1.0 on are told that they are read-only; what others
/// get is a copy, which they may write to, or with copy=False the memory as it is.
nb::object dlpack(const nb::object& self, nb::handle stream, nb::handle max_version, nb::handle dl_device,
                  nb::handle copy) {
  if (!stream.is_none()) raise_buffer_error(cat("stream ", repr_text(stream), ": there are none on the CPU; use None"));
  if (!dl_device.is_none() && !dl_device.equal(nb::make_tuple(1, 0))) {
    raise_buffer_error(cat("dl_device ", repr_text(dl_device), ": arrays are on the CPU, which is (1, 0)"));
  }
  const Dims version = max_version.is_none() ? Dims{0, 0} : dims_of(max_version, "max_version");
  if (version.size() != 2)
    throw ArgumentError(cat("max_version is ", repr_text(max_version), "; it takes two integers"));
  const bool versioned = version[0] >= 1;
  const bool shares = copy.ptr() == Py_False;
  const Lending lending(shares && !versioned);
  nb::object array = to_numpy(self);
  if (copy.ptr() == Py_True || !(versioned || shares)) array = array.attr("copy")();
  nb::dict options;
  if (versioned) options["max_version"] = max_version;
  return array.attr("__dlpack__")(**options);
}

}  // namespace

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
    view->readonly = lends_unmarked ? 0 : 1;
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

nb::object to_numpy(const nb::object& array) {
  const nb::module_ numpy = nb::module_::import_("numpy");
  // By the buffer, never by __array__, which would come back here.
  return numpy.attr("asarray")(nb::steal<nb::object>(PyMemoryView_FromObject(array.ptr())));
}

void bind_buffers(ArrayClass& cls) {
  cls.def("__array__", &array_protocol, nb::arg("dtype").none() = nb::none(), nb::arg("copy").none() = nb::none(),
          doc_of("Array.__array__").c_str(),
          nb::sig("def __array__(self, dtype: numpy.typing.DTypeLike | None = None, copy: builtins.bool | None = None) "
                  "-> numpy.typing.NDArray[typing.Any]"));
  const auto none = [](const char* name) { return nb::arg(name).none() = nb::none(); };
  cls.def("__dlpack__", &dlpack, nb::kw_only(), none("stream"), none("max_version"), none("dl_device"), none("copy"),
          doc_of("Array.__dlpack__").c_str(),
          nb::sig("def __dlpack__(self, *, stream: None = None, max_version: tuple[int, int] | None = None, "
                  "dl_device: tuple[int, int] | None = None, copy: builtins.bool | None = None) -> typing.Any"));
  cls.def(
      "__dlpack_device__", [](const nb::object&) { return nb::make_tuple(1, 0); },
      doc_of("Array.__dlpack_device__").c_str(), nb::sig("def __dlpack_device__(self) -> tuple[int, int]"));
}

}  // namespace penstock::bind
