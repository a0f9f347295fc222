// SPDX-License-Identifier: Apache-2.0
// Elements by their places, places by their elements, cumulative sums.

#include "penstock/array/choose.h"
#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"

namespace penstock::bind {
namespace {

/// The axis, which an array of one axis may leave out.
std::int64_t only_axis(const Array& x, std::optional<std::int64_t> axis, const char* function) {
  if (axis) return *axis;
  if (x.ndim() == 1) return 0;
  throw ArgumentError(cat(function, " of an array of ", x.ndim(), " axes needs `axis`"));
}

void bind_takes(nb::module_& m) {
  m.def(
      "take",
      [](nb::handle x, nb::handle indices, std::optional<std::int64_t> axis) {
        const Array in = array_of(x);
        const Array at = array_of(indices);
        const std::int64_t along = only_axis(in, axis, "take");
        return unlocked([&] { return take(in, at, along); });
      },
      nb::arg("x").none(), nb::arg("indices").none(), nb::kw_only(), nb::arg("axis").none() = nb::none(),
      doc_of("take").c_str(), nb::sig("def take(x: object, indices: object, /, *, axis: int | None = None) -> Array"));
  m.def(
      "take_along_axis",
      [](nb::handle x, nb::handle indices, std::int64_t axis) {
        const Array in = array_of(x);
        const Array at = array_of(indices);
        return unlocked([&] { return take_along_axis(in, at, axis); });
      },
      nb::arg("x").none(), nb::arg("indices").none(), nb::kw_only(), nb::arg("axis") = -1,
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
        [f](nb::handle x, std::int64_t axis, bool descending, bool) {
          const Array in = array_of(x);
          return f(in, axis, descending);
        },
        nb::arg("x").none(), nb::kw_only(), nb::arg("axis") = -1, nb::arg("descending") = false,
        nb::arg("stable") = true, doc_of(name).c_str(),
        nb::sig(cat("def ", name,
                    "(x: object, /, *, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = "
                    "True) -> Array")
                    .c_str()));
  };
  def("sort", &sort);
  def("argsort", &argsort);
  m.def(
      "searchsorted",
      [](nb::handle x1, nb::handle x2, const std::string& side, nb::handle sorter) {
        if (side != "left" && side != "right") throw ArgumentError(cat("side is '", side, "'; use 'left' or 'right'"));
        const Array sorted = array_of(x1);
        const Array x = array_of(x2);
        const std::optional<Array> order = sorter.is_none() ? std::nullopt : std::optional(array_of(sorter));
        return unlocked([&] { return searchsorted(order ? take(sorted, *order, 0) : sorted, x, side == "right"); });
      },
      nb::arg("x1").none(), nb::arg("x2").none(), nb::kw_only(), nb::arg("side") = "left",
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
        [f, name](nb::handle x, std::optional<std::int64_t> axis, nb::handle dtype, bool include_initial) {
          const Array in = array_of(x);
          const std::int64_t along = only_axis(in, axis, name);
          const std::optional<DType> wanted = dtype_of(dtype);
          return f(in, along, wanted, include_initial);
        },
        nb::arg("x").none(), nb::kw_only(), nb::arg("axis").none() = nb::none(), nb::arg("dtype").none() = nb::none(),
        nb::arg("include_initial") = false, doc_of(name).c_str(),
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
