// SPDX-License-Identifier: Apache-2.0
// Indexing: a[i], a[1:, ..., None], a[indices], a[condition], assignment to parts, len and iteration. Other keys with
// arrays are Python's business (penstock/_indexing.py).

#include <algorithm>
#include <cstddef>
#include <new>
#include <optional>
#include <utility>

#include "bind.h"
#include "docs.h"
#include "penstock/array/choose.h"
#include "penstock/array/number.h"
#include "penstock/base/error.h"
#include "penstock/run/at_once.h"
#include "slots.h"

namespace penstock::bind {
namespace {

/// The entries of an index expression, Ellipsis expanded. They take no memory from the heap.
class Indices {
 public:
  // An integer or a slice a dimension, and as many new axes as a result may have.
  static constexpr std::size_t kMost = 2 * kMaxRank;

  void push_back(const Index& index) {
    if (count_ == kMost) throw OutOfRangeError(cat("an index of over ", kMost, " entries"));
    new (room_ + sizeof(Index) * count_++) Index(index);
  }
  operator std::span<const Index>() const { return {std::launder(reinterpret_cast<const Index*>(room_)), count_}; }

 private:
  alignas(Index) std::byte room_[sizeof(Index) * kMost];
  std::size_t count_ = 0;
};

/// An index. Beyond 64 bits there is no element.
std::int64_t bound(PyObject* value) {
  const Py_ssize_t n = PyNumber_AsSsize_t(value, PyExc_OverflowError);
  if (n != -1 || !PyErr_Occurred()) return n;
  PyErr_Clear();
  throw OutOfRangeError(cat("index ", repr_text(value), " is out of range for any axis"));
}

/// A bound or the step of a slice: beyond 64 bits the nearest integer there is, as of Python's own sequences.
std::int64_t clipped(PyObject* value) {
  if (PyLong_CheckExact(value)) {
    const Py_ssize_t n = PyLong_AsSsize_t(value);
    if (n != -1 || !PyErr_Occurred()) return n;
    PyErr_Clear();
  }
  if (!PyIndex_Check(value)) throw DTypeError("slice indices must be integers or None or have an __index__ method");
  const Py_ssize_t n = PyNumber_AsSsize_t(value, nullptr);
  if (n == -1 && PyErr_Occurred()) throw nb::python_error();
  return n;
}

/// Whether an object is one integer. An array of one element has __index__ too, but is one only without dimensions.
bool is_integer_index(PyObject* item) {
  if (PyLong_CheckExact(item)) return true;
  if (!PyIndex_Check(item) || PyBool_Check(item)) return false;
  const nb::object rank = nb::getattr(item, "ndim", nb::int_(0));
  if (!rank.equal(nb::int_(0))) return false;
  PyObject* index = PyNumber_Index(item);
  if (index == nullptr) PyErr_Clear();
  Py_XDECREF(index);
  return index != nullptr;
}

Index integer_index(std::int64_t i) { return {Index::Type::kInteger, i, {}, 1, false}; }

Index slice_index(PyObject* item) {
  const auto* slice = reinterpret_cast<const PySliceObject*>(item);
  Index index;
  index.has_start = slice->start != Py_None;
  if (index.has_start) index.start = clipped(slice->start);
  if (slice->stop != Py_None) index.stop = clipped(slice->stop);
  if (slice->step != Py_None) index.step = clipped(slice->step);
  return index;
}

/// Whether a key has entries that are arrays, or what may be made one.
bool has_arrays(PyObject* key) {
  const auto is_array = [](PyObject* item) {
    return item != Py_None && item != Py_Ellipsis && !PySlice_Check(item) && !is_integer_index(item);
  };
  if (!PyTuple_Check(key)) return is_array(key);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); ++i) {
    if (is_array(PyTuple_GET_ITEM(key, i))) return true;
  }
  return false;
}

/// Reads a Python index expression as basic indices of an array of so many dimensions; false where it has arrays.
bool read_indices(PyObject* key, std::size_t rank, Indices& indices) {
  const bool several = PyTuple_Check(key) != 0;
  const Py_ssize_t count = several ? PyTuple_GET_SIZE(key) : 1;
  const auto entry = [&](Py_ssize_t i) { return several ? PyTuple_GET_ITEM(key, i) : key; };
  std::size_t used = 0;
  for (Py_ssize_t i = 0; i < count; ++i) used += entry(i) != Py_None && entry(i) != Py_Ellipsis;
  if (used > rank) {
    if (has_arrays(key)) return false;  // a condition takes up several dimensions, or none
    throw OutOfRangeError(cat(used, " indices for an array of ", rank, " dimension(s)"));
  }
  bool ellipsis = false;
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* item = entry(i);
    if (item == Py_None) {
      indices.push_back({Index::Type::kNewAxis, 0, {}, 1, false});
    } else if (item == Py_Ellipsis) {
      if (ellipsis) throw OutOfRangeError("an index can have one Ellipsis (...)");
      ellipsis = true;
      for (std::size_t skipped = used; skipped < rank; ++skipped) indices.push_back({});
    } else if (PySlice_Check(item)) {
      indices.push_back(slice_index(item));
    } else if (is_integer_index(item)) {
      indices.push_back(integer_index(bound(item)));
    } else {
      return false;
    }
  }
  return true;
}

nb::object indexing(const char* function) { return nb::module_::import_("penstock._indexing").attr(function); }

/// Whether a key is an array of places along the first axis.
bool names_places(const Array& self, const Array& key) {
  return is_integer(key.dtype()) && key.ndim() > 0 && self.ndim() > 0;
}

/// Whether a key is a condition of the leading axes.
bool names_condition(const Array& self, const Array& key) {
  return key.dtype() == DType::k_bool && key.ndim() > 0 && key.ndim() <= self.ndim() &&
         std::equal(key.shape().begin(), key.shape().end(), self.shape().begin());
}

bool is_small(const Array& array) { return array.evaluated() && array.nbytes() <= run::kMostAtOnce; }

/// The array that a whole key is: of this class, NumPy's, or a list.
class KeyArray {
 public:
  explicit KeyArray(PyObject* key) : array_(plain_array(key)) {
    if (array_ != nullptr) return;
    shared_ = PyList_CheckExact(key) == 0;
    made_ = shared_ ? borrowed_ndarray(key) : array_of_list(key);
    if (made_) array_ = &*made_;
  }
  /// Null for all else.
  const Array* get() const { return array_; }
  /// The array as it is now, for what is evaluated later: NumPy's may be written to.
  Array kept() const { return shared_ ? frozen(*array_) : *array_; }

 private:
  /// Nothing for what is no list of numbers; an empty one names no places.
  static std::optional<Array> array_of_list(PyObject* list) {
    if (PyList_GET_SIZE(list) == 0) return std::nullopt;
    try {
      return try_array_of(list);
    } catch (const DTypeError&) {
      return std::nullopt;
    } catch (const ArgumentError&) {
      return std::nullopt;
    }
  }

  const Array* array_;
  std::optional<Array> made_;
  bool shared_ = false;
};

/// The parts that one array as the key names; nothing for keys that _indexing.py takes apart.
std::optional<Array> chosen(const Array& self, const KeyArray& whole) {
  const Array& key = *whole.get();
  if (names_places(self, key)) {
    if (std::optional<Array> done = take_at_once(self, key, 0)) return done;
    return unlocked([self, key = whole.kept()] { return take(self, key, 0); });
  }
  if (!names_condition(self, key)) return std::nullopt;
  if (std::optional<Array> done = masked_select_at_once(self, key)) return done;
  return unlocked([self, key = whole.kept()] { return masked_select(self, key); });
}

/// What the array is after `self[key] = value`; nothing for keys and values that _indexing.py takes apart.
std::optional<Array> replaced(const Array& self, const KeyArray& whole, const Array& value) {
  const Array& key = *whole.get();
  if (names_places(self, key) && key.ndim() == 1 && value.ndim() <= self.ndim()) {
    if (std::optional<Array> done = put_at_once(self, key, value)) return done;
    return unlocked([self, key = whole.kept(), value] { return put(self, key, value); });
  }
  if (!names_condition(self, key) || (value.ndim() > self.ndim() - key.ndim() + 1 && value.size() != 1))
    return std::nullopt;
  const Array condition = is_small(self) ? key : whole.kept();  // what is small is evaluated here
  if (std::optional<Array> done = masked_fill(self, condition, value)) return done;
  return unlocked([self, condition, value] { return masked_put(self, condition, value); });
}

/// A number to put into an array: small ones are computed with at once, programs of large ones hoist a constant.
Array value_in(const Array& self, const Number& number) {
  return is_small(self) ? Array(scalar_of(number, self.dtype())) : full({}, number, self.dtype());
}

nb::object get_item(const Array& self, nb::handle key) {
  if (const KeyArray array(key.ptr()); array.get() != nullptr) {
    if (std::optional<Array> parts = chosen(self, array)) return object_of(std::move(*parts));
  }
  Indices indices;
  if (!read_indices(key.ptr(), self.shape().size(), indices)) return indexing("get")(object_of(self), key);
  return object_of(self[indices]);
}

void set_item(Array& self, nb::handle key, nb::handle value) {
  const std::optional<Number> number = try_number_of(value);
  const Array array = number ? value_in(self, *number) : array_of(value);
  if (const KeyArray places(key.ptr()); places.get() != nullptr) {
    if (std::optional<Array> other = replaced(self, places, array)) {
      self = std::move(*other);
      return;
    }
  }
  Indices indices;
  if (!read_indices(key.ptr(), self.shape().size(), indices)) {
    self = nb::cast<Array>(indexing("assigned")(object_of(self), key, object_of(array)));
    return;
  }
  // Without the interpreter's lock another thread may read the handle: it takes the value with the lock.
  const graph::NodeRef node = self.node();
  std::optional<Array> other = unlocked([&] { return assigned(node, indices, array, 2); });
  if (other) self = std::move(*other);
}

std::int64_t length(const Array& self) {
  if (self.ndim() == 0) throw DTypeError("an array of no dimensions has no length");
  return self.shape()[0];
}

Py_ssize_t length_slot(PyObject* self) {
  const Array* array = plain_array(self);
  if (array != nullptr && array->ndim() > 0) return array->shape()[0];
  PyObject* found = PyObject_CallMethodNoArgs(self, interned<"__len__">());
  const Py_ssize_t n = found != nullptr ? PyLong_AsSsize_t(found) : -1;
  Py_XDECREF(found);
  return n;
}

/// The part of a vector that one of C's integers or a slice names; other keys and arrays take get_item's way.
PyObject* item_slot(const Array& self, PyObject* key) {
  const auto part = [&](const Index& index) { return object_made([&] { return self.at(index); }).release().ptr(); };
  if (self.ndim() == 1) {
    if (PySlice_Check(key)) return part(slice_index(key));
    int overflow = PyLong_CheckExact(key) ? 0 : 1;
    const long long i = overflow == 0 ? PyLong_AsLongLongAndOverflow(key, &overflow) : 0;
    if (overflow == 0) return part(integer_index(i));
  }
  return get_item(self, key).release().ptr();
}

}  // namespace

void bind_items(ArrayClass& cls) {
  cls.def("__len__", &length, doc_of("Array.__len__").c_str());
  cls.def(
      "__iter__",
      [](const Array& self) {
        if (self.ndim() == 0) throw DTypeError("an array of no dimensions can't be iterated");
        nb::list items;
        for (std::int64_t i = 0; i < self.shape()[0]; ++i) items.append(object_of(self.at(integer_index(i))));
        return nb::iter(items);
      },
      doc_of("Array.__iter__").c_str(), nb::sig("def __iter__(self) -> Iterator[Array]"));
  cls.def("__getitem__", &get_item, nb::arg("key").none(), doc_of("Array.__getitem__").c_str(),
          nb::sig("def __getitem__(self, key: Key, /) -> Array"));
  cls.def("__setitem__", &set_item, nb::arg("key").none(), nb::arg("value").none(), doc_of("Array.__setitem__").c_str(),
          nb::sig("def __setitem__(self, key: Key, value: object, /) -> None"));
  auto& type = *reinterpret_cast<PyHeapTypeObject*>(cls.ptr());
  type.as_mapping.mp_subscript = &binary_slot<"__getitem__", &item_slot>;
  type.as_mapping.mp_length = &length_slot;
  type.as_sequence.sq_length = &length_slot;
}

}  // namespace penstock::bind
