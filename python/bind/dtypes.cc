// SPDX-License-Identifier: Apache-2.0
// dtype objects: ps.float32 and its like, understood by numpy.dtype().

#include <atomic>

#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"

namespace penstock::bind {
namespace {

bool equals(const DTypeObject& self, nb::handle other) {
  if (nb::isinstance<DTypeObject>(other)) return nb::cast<const DTypeObject&>(other).dtype == self.dtype;
  try {
    return dtype_of(other) == self.dtype;
  } catch (const DTypeError&) {
    return false;
  }
}

/// That of NumPy's dtype, which it equals; asked for once. An initialised static would hold its guard around the
/// import, and a thread that waits for the guard with the interpreter's lock would never let it end.
Py_hash_t hash_of(const DTypeObject& self) {
  constinit static std::atomic<Py_hash_t> known[kDTypeCount] = {};
  std::atomic<Py_hash_t>& hash = known[index_of(self.dtype)];
  if (hash.load(std::memory_order_relaxed) == 0) {
    const nb::object dtype = nb::module_::import_("numpy").attr("dtype")(name_of(self.dtype));
    hash.store(nb::hash(dtype), std::memory_order_relaxed);
  }
  return hash.load(std::memory_order_relaxed);
}

}  // namespace

DType need_dtype(nb::handle object) {
  if (const std::optional<DType> dtype = dtype_of(object)) return *dtype;
  throw DTypeError("None is no dtype");
}

std::optional<DType> dtype_of(nb::handle object) {
  if (object.is_none()) return std::nullopt;
  if (nb::isinstance<DTypeObject>(object)) return nb::cast<const DTypeObject&>(object).dtype;
  if (nb::isinstance<nb::str>(object)) {
    const auto name = nb::cast<std::string>(object);
    for (int i = 0; i < kDTypeCount; ++i) {
      if (name == kDTypes[i].name) return static_cast<DType>(i);
    }
  }
  try {
    const nb::object found = nb::module_::import_("numpy").attr("dtype")(object);
    return dtype_from_name(nb::cast<std::string>(found.attr("name")));
  } catch (const nb::python_error&) {
    if (nb::isinstance<nb::str>(object)) return dtype_from_name(nb::cast<std::string>(object));
    throw DTypeError(cat(repr_text(object), " is no dtype"));
  }
}

nb::object dtype_object(DType dtype) { return nb::borrow<nb::object>(dtype_objects[index_of(dtype)]); }

void bind_dtypes(nb::module_& m) {
  nb::class_<DTypeObject>(
      m, "DType",
      "An element type: ps.float32 and its like, which numpy.dtype() takes, and which equal NumPy's "
      "dtypes and names.\n\nArray API standard 2025.12: data_types.")
      .def_prop_ro(
          "name", [](const DTypeObject& self) { return name_of(self.dtype); }, "The name, as \"float32\".")
      .def_prop_ro(
          "itemsize", [](const DTypeObject& self) { return size_of(self.dtype); }, "Bytes of an element.")
      .def_prop_ro(
          "dtype",
          [](const DTypeObject& self) { return nb::module_::import_("numpy").attr("dtype")(name_of(self.dtype)); },
          "The NumPy dtype; numpy.dtype() looks here.",
          nb::for_getter(nb::sig("def dtype(self, /) -> numpy.dtype[typing.Any]")))
      .def_prop_ro(
          "kind",
          [](const DTypeObject& self) {
            constexpr const char* kLetters[] = {"b", "i", "u", "f", "c"};
            static_assert(static_cast<int>(Kind::kBool) == 0 && static_cast<int>(Kind::kComplex) == 4);
            return kLetters[static_cast<int>(kind_of(self.dtype))];
          },
          "NumPy's letter of the kind: b, i, u, f or c.")
      .def_prop_ro(
          "char",
          [](const DTypeObject& self) {
            const nb::module_ numpy = nb::module_::import_("numpy");
            return nb::cast<std::string>(numpy.attr("dtype")(name_of(self.dtype)).attr("char"));
          },
          "NumPy's letter of the type, which SciPy's libraries are looked up by.")
      .def_prop_ro(
          "type",
          [](const DTypeObject& self) {
            return nb::object(nb::module_::import_("numpy").attr("dtype")(name_of(self.dtype)).attr("type"));
          },
          "NumPy's class of one element.", nb::for_getter(nb::sig("def type(self, /) -> builtins.type[typing.Any]")))
      .def("__str__", [](const DTypeObject& self) { return name_of(self.dtype); })
      .def("__repr__", [](const DTypeObject& self) { return cat("penstock.", name_of(self.dtype)); })
      .def("__eq__", &equals, nb::arg("other").none(), nb::sig("def __eq__(self, other: object, /) -> builtins.bool"))
      .def("__hash__", &hash_of)
      // By its name in this module, which is what pickle looks up.
      .def(
          "__reduce__", [](const DTypeObject& self) { return name_of(self.dtype); },
          nb::sig("def __reduce__(self) -> str"));
  for (int i = 0; i < kDTypeCount; ++i) {
    const nb::object made = nb::cast(DTypeObject{static_cast<DType>(i)});
    m.attr(kDTypes[i].name) = made;
    dtype_objects[i] = made.inc_ref().ptr();
  }
  m.def(
      "dtype", [](nb::handle object) { return dtype_object(need_dtype(object)); }, nb::arg("object").none(),
      doc_of("dtype").c_str(), nb::sig("def dtype(object: AnyDType) -> DType"));
  m.def(
      "promote_types", [](nb::handle a, nb::handle b) { return dtype_object(promote(need_dtype(a), need_dtype(b))); },
      nb::arg("a").none(), nb::arg("b").none(), doc_of("promote_types").c_str(),
      nb::sig("def promote_types(a: AnyDType, b: AnyDType) -> DType"));
}

}  // namespace penstock::bind
