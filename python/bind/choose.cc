// SPDX-License-Identifier: Apache-2.0
// Elements by their places, places by their elements, cumulative sums.

#include "penstock/array/choose.h"
#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"

namespace penstock::bind {
namespace {

/// The axis, which an array of one axis may leave out.
std::int64_t only_axis(const Array& x, nb::handle axis, const char* function) {
  if (!axis.is_none()) return whole_of(axis, "axis");
  if (x.ndim() == 1) return 0;
  throw ArgumentError(cat(function, " of an array of ", x.ndim(), " axes needs `axis`"));
}

/// Indices as an array; a list of none has no dtype of its own.
Array indices_of(nb::handle object) {
  const Array at = array_of(object);
  return is_list(object) && at.size() == 0 ? astype(at, DType::k_int64) : at;
}

void bind_takes(nb::module_& m) {
  m.def(
      "take",
      [](nb::handle x, nb::handle indices, nb::handle axis) {
        const Array in = array_of(x);
        const Array at = indices_of(indices);
        const std::int64_t along = only_axis(in, axis, "take");
        if (std::optional<Array> done = take_at_once(in, at, along)) return std::move(*done);
        return unlocked([&] { return take(in, at, along); });
      },
      nb::arg("x").none(), nb::arg("indices").none(), nb::kw_only(), nb::arg("axis").none() = nb::none(),
      doc_of("take").c_str(), nb::sig("def take(x: object, indices: object, /, *, axis: int | None = None) -> Array"));
  m.def(
      "take_along_axis",
      [](nb::handle x, nb::handle indices, nb::handle axis) {
        const Array in = array_of(x);
        const Array at = indices_of(indices);
        const std::int64_t along = whole_of(axis, "axis");
        return unlocked([&] { return take_along_axis(in, at, along); });
      },
      nb::arg("x").none(), nb::arg("indices").none(), nb::kw_only(), nb::arg("axis").none() = -1,
      doc_of("take_along_axis").c_str(),
      nb::sig("def take_along_axis(x: object, indices: object, /, *, axis: int = -1) -> Array"));
  m.def(
      "put",
      [](const Array x, const Array indices, const Array values) {
        return unlocked([&] { return put(x, indices, values); });
      },
      nb::arg("x"), nb::arg("indices"), nb::arg("values"),
      "x with its parts named by a vector of indices along the first axis replaced; of equal indices the last stays.");
  m.def(
      "flat_nonzero", [](const Array x) { return unlocked([&] { return flat_nonzero(x); }); }, nb::arg("x"),
      "Places of the elements that are not zero, in C order of x flattened; int64, kept.");
}

void bind_sorts(nb::module_& m) {
  const auto def = [&](const char* name, Array (*f)(const Array&, std::int64_t, bool)) {
    m.def(
        name,
        [f](nb::handle x, nb::handle axis, nb::handle descending, nb::handle stable) {
          const Array in = array_of(x);
          flag_of(stable, "stable");
          return f(in, whole_of(axis, "axis"), flag_of(descending, "descending"));
        },
        nb::arg("x").none(), nb::kw_only(), nb::arg("axis").none() = -1, nb::arg("descending").none() = false,
        nb::arg("stable").none() = true, doc_of(name).c_str(),
        nb::sig(cat("def ", name,
                    "(x: object, /, *, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = "
                    "True) -> Array")
                    .c_str()));
  };
  def("sort", &sort);
  def("argsort", &argsort);
  m.def(
      "searchsorted",
      [](nb::handle x1, nb::handle x2, nb::handle side, nb::handle sorter) {
        const bool right = side.equal(nb::str("right"));
        if (!right && !side.equal(nb::str("left"))) {
          throw ArgumentError(cat("side is ", repr_text(side), "; use 'left' or 'right'"));
        }
        const Array sorted = array_of(x1);
        const Array x = array_of(x2);
        const std::optional<Array> order = sorter.is_none() ? std::nullopt : std::optional(array_of(sorter));
        return unlocked([&] { return searchsorted(order ? take(sorted, *order, 0) : sorted, x, right); });
      },
      nb::arg("x1").none(), nb::arg("x2").none(), nb::kw_only(), nb::arg("side").none() = "left",
      nb::arg("sorter").none() = nb::none(), doc_of("searchsorted").c_str(),
      nb::sig("def searchsorted(x1: object, x2: object, /, *, side: str = 'left', sorter: object | None = None) -> "
              "Array"));
  m.def(
      "is_in_sorted", [](const Array& sorted, const Array& x) { return is_in_sorted(sorted, x); }, nb::arg("sorted"),
      nb::arg("x"), "Whether each of x is one of a sorted vector's elements; NaN is none. Not of complex numbers.");
}

void bind_scans(nb::module_& m) {
  const auto def = [&](const char* name, Array (*f)(const Array&, std::int64_t, std::optional<DType>, bool)) {
    m.def(
        name,
        [f, name](nb::handle x, nb::handle axis, nb::handle dtype, nb::handle include_initial) {
          const Array in = array_of(x);
          const std::int64_t along = only_axis(in, axis, name);
          const std::optional<DType> wanted = dtype_of(dtype);
          return f(in, along, wanted, flag_of(include_initial, "include_initial"));
        },
        nb::arg("x").none(), nb::kw_only(), nb::arg("axis").none() = nb::none(), nb::arg("dtype").none() = nb::none(),
        nb::arg("include_initial").none() = false, doc_of(name).c_str(),
        nb::sig(cat("def ", name,
                    "(x: object, /, *, axis: int | None = None, dtype: AnyDType | None = None, include_initial: "
                    "builtins.bool = False) -> Array")
                    .c_str()));
  };
  def("cumulative_sum", &cumulative_sum);
  def("cumulative_prod", &cumulative_prod);
}

}  // namespace

void bind_choose(nb::module_& m) {
  bind_takes(m);
  bind_sorts(m);
  bind_scans(m);
}

}  // namespace penstock::bind
