// SPDX-License-Identifier: Apache-2.0
// Functions of the namespace. Elementwise ones are made in a loop over the op table. What takes one array first is a
// method too. Signatures are those of the type stubs (tools/stubs.py), in which `bool` is a dtype: hence builtins.bool.

#include <nanobind/stl/vector.h>

#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"
#include "penstock/op/ops.h"
#include "slots.h"

namespace penstock::bind {
namespace {

Operand need_operand(nb::handle object, const char* function) {
  if (std::optional<Operand> operand = operand_of(object)) return std::move(*operand);
  throw DTypeError(cat(function, " cannot take ", repr_text(object)));
}

/// Adds a function whose first parameter is an array, and the method of the same name. `rest`: the parameters behind
/// the array and the result, as in ", axis: Ints) -> Array".
template <class F, class... Extra>
void def_both(nb::module_& m, const char* name, const std::string& rest, F f, const Extra&... extra) {
  const std::string doc = doc_of(name);
  m.def(name, f, nb::arg("x").none(), extra..., doc.c_str(), nb::sig(cat("def ", name, "(x: object", rest).c_str()));
  nb::cpp_function_def(f, nb::scope(m.attr("Array")), nb::name(name), nb::is_method(), extra..., doc.c_str(),
                       nb::sig(cat("def ", name, "(self", rest).c_str()));
}

nb::object apply(Op op, std::initializer_list<nb::handle> objects, nb::handle out) {
  std::vector<Operand> operands;
  for (const nb::handle object : objects) operands.push_back(need_operand(object, row(op).name));
  if (out.is_none()) {
    if (std::optional<Array> done = elementwise_at_once(op, operands)) return object_of(std::move(*done));
  }
  const Array result = elementwise(op, operands);
  return finish(result, out);
}

nb::object clip(nb::handle x, nb::handle low, nb::handle high, nb::handle out) {
  const Array array = array_of(x);
  // The result keeps the array's dtype; limits are converted to it.
  const auto fit = [&](nb::handle limit) {
    const Operand operand = need_operand(limit, "clip");
    return operand.array() != nullptr ? Operand(astype(*operand.array(), array.dtype())) : operand;
  };
  const auto apply_limits = [](Op op, const std::vector<Operand>& operands) { return elementwise(op, operands); };
  if (low.is_none() && high.is_none()) return finish(array, out);
  if (low.is_none()) return finish(apply_limits(Op::k_minimum, {array, fit(high)}), out);
  if (high.is_none()) return finish(apply_limits(Op::k_maximum, {array, fit(low)}), out);
  return finish(apply_limits(Op::k_clip, {array, fit(low), fit(high)}), out);
}

void bind_elementwise(nb::module_& m) {
  const auto out = nb::arg("out").none() = nb::none();
  for (int i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    const char* name = kOps[i].name;
    const std::string doc = elementwise_doc(op);
    const auto signature = [&](const char* parameters) {
      return cat("def ", name, "(", parameters, ", *, out: Out | None = None) -> Out");
    };
    if (op == Op::k_clip) continue;
    if (kOps[i].arity == 1) {
      m.def(
          name, [op](nb::handle x, nb::handle to) { return apply(op, {x}, to); }, nb::arg("x").none(), nb::kw_only(),
          out, doc.c_str(), nb::sig(signature("x: object").c_str()));
    } else if (kOps[i].arity == 2) {
      m.def(
          name,
          [op](nb::handle x1, nb::handle x2, nb::handle to) {
            return apply(op, {x1, x2}, to);
          },
          nb::arg("x1").none(), nb::arg("x2").none(), nb::kw_only(), out, doc.c_str(),
          nb::sig(signature("x1: object, x2: object").c_str()));
    } else {
      PENSTOCK_CHECK(op == Op::k_where || op == Op::k_random_below, name);
      m.def(
          name,
          [op](nb::handle x, nb::handle x1, nb::handle x2, nb::handle to) {
            return apply(op, {x, x1, x2}, to);
          },
          nb::arg(op == Op::k_where ? "condition" : "x").none(), nb::arg("x1").none(), nb::arg("x2").none(),
          nb::kw_only(), out, doc.c_str(),
          nb::sig(signature(op == Op::k_where ? "condition: object, x1: object, x2: object"
                                              : "x: object, x1: object, x2: object")
                      .c_str()));
    }
  }
  def_both(m, "clip", ", min: object = None, max: object = None, *, out: Out | None = None) -> Out", &clip,
           nb::arg("min").none() = nb::none(), nb::arg("max").none() = nb::none(), nb::kw_only(), out);
  m.def(
      "elementwise_rows",
      [] {
        nb::list rows;
#define PENSTOCK_OP(name, functor, arity, domain, result) \
  if (Domain::domain != Domain::kWord) rows.append(nb::make_tuple(#name, arity, #domain, #result));
#include "penstock/op/elementwise.def"
#undef PENSTOCK_OP
        return rows;
      },
      "(name, arity, domain, result) of every elementwise operation, from the table; words of random bits are apart.",
      nb::sig("def elementwise_rows() -> list[tuple[str, int, str, str]]"));
}

Over over(nb::handle axis, nb::handle keepdims) { return {optional_dims(axis, "axis"), flag_of(keepdims, "keepdims")}; }

template <class F>
void def_reduction(nb::module_& m, const char* name, F f) {
  const auto call = [f](nb::handle x, nb::handle axis, nb::handle keepdims) {
    const Array in = array_of(x);
    const Over how = over(axis, keepdims);
    return f(in, how);
  };
  def_both(m, name, ", axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array", call,
           nb::arg("axis").none() = nb::none(), nb::kw_only(), nb::arg("keepdims").none() = false);
}

template <class F>
void def_typed_reduction(nb::module_& m, const char* name, F f) {
  const auto call = [f](nb::handle x, nb::handle axis, nb::handle dtype, nb::handle keepdims) {
    const Array in = array_of(x);
    const Over how = over(axis, keepdims);
    const std::optional<DType> wanted = dtype_of(dtype);
    return f(in, how, wanted);
  };
  def_both(m, name,
           ", axis: Ints | None = None, *, dtype: AnyDType | None = None, keepdims: builtins.bool = False) -> Array",
           call, nb::arg("axis").none() = nb::none(), nb::kw_only(), nb::arg("dtype").none() = nb::none(),
           nb::arg("keepdims").none() = false);
}

template <class F>
void def_spread(nb::module_& m, const char* name, F f) {
  const auto call = [f](nb::handle x, nb::handle axis, nb::handle correction, nb::handle keepdims) {
    const Array in = array_of(x);
    const Over how = over(axis, keepdims);
    const double taken_off = real_of(correction, "correction");
    return f(in, how, taken_off);
  };
  def_both(m, name, ", axis: Ints | None = None, *, correction: float = 0.0, keepdims: builtins.bool = False) -> Array",
           call, nb::arg("axis").none() = nb::none(), nb::kw_only(), nb::arg("correction").none() = 0.0,
           nb::arg("keepdims").none() = false);
}

template <class F>
void def_search(nb::module_& m, const char* name, F f) {
  const auto call = [f](nb::handle x, nb::handle axis, nb::handle keepdims) {
    const Array in = array_of(x);
    const std::optional<std::int64_t> along = optional_whole(axis, "axis");
    return f(in, along, flag_of(keepdims, "keepdims"));
  };
  def_both(m, name, ", axis: int | None = None, *, keepdims: builtins.bool = False) -> Array", call,
           nb::arg("axis").none() = nb::none(), nb::kw_only(), nb::arg("keepdims").none() = false);
}

void bind_reductions(nb::module_& m) {
  def_typed_reduction(m, "sum", &sum);
  def_typed_reduction(m, "prod", &prod);
  def_typed_reduction(m, "mean", &mean);
  def_reduction(m, "min", &min);
  def_reduction(m, "max", &max);
  def_reduction(m, "any", &any);
  def_reduction(m, "all", &all);
  def_reduction(m, "count_nonzero", &count_nonzero);
  def_spread(m, "var", &var);
  def_spread(m, "std", &std);
  def_search(m, "argmin", &argmin);
  def_search(m, "argmax", &argmax);
  m.def(
      "histogram_counts",
      [](nb::handle x, const std::vector<double>& edges) {
        const Array in = array_of(x);
        return histogram(in, edges);
      },
      nb::arg("x").none(), nb::arg("edges"), "Counts of x between ascending edges, the last bin closed; int64.");
  m.def("even_edges", &even_edges, nb::arg("bins"), nb::arg("low"), nb::arg("high"), "bins + 1 evenly spaced edges.");
}

std::vector<Array> arrays_of(nb::handle objects, const char* function) {
  const nb::object iterator = nb::steal(PyObject_GetIter(objects.ptr()));
  if (!iterator) {
    PyErr_Clear();
    throw DTypeError(cat(function, " takes several arrays, in a list or a tuple; got ", repr_text(objects)));
  }
  std::vector<Array> arrays;
  for (nb::handle each : nb::borrow<nb::iterator>(iterator)) arrays.push_back(array_of(each));
  if (arrays.empty()) throw ArgumentError(cat(function, " needs at least one array"));
  return arrays;
}

void check_device(nb::handle device) {
  if (!device.is_none() && !device.equal(nb::str("cpu"))) {
    throw ArgumentError(cat("device ", repr_text(device), " is unknown; there is 'cpu'"));
  }
}

nb::object converted(nb::handle x, nb::handle dtype, nb::handle copy, nb::handle device) {
  check_device(device);
  const DType wanted = need_dtype(dtype);
  const Array* array = flag_of(copy, "copy") ? nullptr : array_or_null(x);
  if (array != nullptr && array->dtype() == wanted) return nb::borrow(x);
  return object_of(astype(array_of(x), wanted));
}

void bind_views(nb::module_& m) {
  def_both(m, "astype", ", dtype: AnyDType, *, copy: builtins.bool = True, device: str | None = None) -> Array",
           &converted, nb::arg("dtype").none(), nb::kw_only(), nb::arg("copy").none() = true,
           nb::arg("device").none() = nb::none());
  def_both(
      m, "squeeze", ", axis: Ints) -> Array",
      [](nb::handle x, nb::handle axis) { return squeeze(array_of(x), dims_of(axis, "axis")); },
      nb::arg("axis").none());
  m.def(
      "reshape",
      [](nb::handle x, nb::handle shape, nb::handle copy) {
        optional_flag(copy, "copy");
        return reshape(array_of(x), dims_of(shape, "shape"));
      },
      nb::arg("x").none(), nb::arg("shape").none(), nb::kw_only(), nb::arg("copy").none() = nb::none(),
      doc_of("reshape").c_str(),
      nb::sig("def reshape(x: object, shape: Ints, *, copy: builtins.bool | None = None) -> Array"));
  m.def(
      "permute_dims", [](nb::handle x, nb::handle axes) { return permute_dims(array_of(x), dims_of(axes, "axes")); },
      nb::arg("x").none(), nb::arg("axes").none(), doc_of("permute_dims").c_str(),
      nb::sig("def permute_dims(x: object, axes: Ints) -> Array"));
  m.def(
      "matrix_transpose", [](nb::handle x) { return matrix_transpose(array_of(x)); }, nb::arg("x").none(),
      doc_of("matrix_transpose").c_str());
  m.def(
      "broadcast_to", [](nb::handle x, nb::handle shape) { return broadcast_to(array_of(x), dims_of(shape, "shape")); },
      nb::arg("x").none(), nb::arg("shape").none(), doc_of("broadcast_to").c_str(),
      nb::sig("def broadcast_to(x: object, shape: Ints) -> Array"));
  m.def(
      "flip", [](nb::handle x, nb::handle axis) { return flip(array_of(x), optional_dims(axis, "axis")); },
      nb::arg("x").none(), nb::kw_only(), nb::arg("axis").none() = nb::none(), doc_of("flip").c_str(),
      nb::sig("def flip(x: object, *, axis: Ints | None = None) -> Array"));
  m.def(
      "expand_dims", [](nb::handle x, nb::handle axis) { return expand_dims(array_of(x), dims_of(axis, "axis")); },
      nb::arg("x").none(), nb::arg("axis").none() = 0, doc_of("expand_dims").c_str(),
      nb::sig("def expand_dims(x: object, axis: Ints = 0) -> Array"));
  m.def(
      "moveaxis",
      [](nb::handle x, nb::handle source, nb::handle destination) {
        return moveaxis(array_of(x), dims_of(source, "source"), dims_of(destination, "destination"));
      },
      nb::arg("x").none(), nb::arg("source").none(), nb::arg("destination").none(), doc_of("moveaxis").c_str(),
      nb::sig("def moveaxis(x: object, source: Ints, destination: Ints) -> Array"));
}

void bind_assemblies(nb::module_& m) {
  m.def(
      "roll",
      [](nb::handle x, nb::handle shift, nb::handle axis) {
        const Array in = array_of(x);
        const Dims shifts = dims_of(shift, "shift");
        const std::optional<Dims> axes = optional_dims(axis, "axis");
        return roll(in, shifts, axes);
      },
      nb::arg("x").none(), nb::arg("shift").none(), nb::kw_only(), nb::arg("axis").none() = nb::none(),
      doc_of("roll").c_str(), nb::sig("def roll(x: object, shift: Ints, *, axis: Ints | None = None) -> Array"));
  m.def(
      "concat",
      [](nb::handle arrays, nb::handle axis) {
        const std::vector<Array> in = arrays_of(arrays, "concat");
        return concat(in, optional_whole(axis, "axis"));
      },
      nb::arg("arrays").none(), nb::kw_only(), nb::arg("axis").none() = 0, doc_of("concat").c_str(),
      nb::sig("def concat(arrays: Iterable[object], *, axis: int | None = 0) -> Array"));
  m.def(
      "stack",
      [](nb::handle arrays, nb::handle axis) {
        const std::vector<Array> in = arrays_of(arrays, "stack");
        return stack(in, whole_of(axis, "axis"));
      },
      nb::arg("arrays").none(), nb::kw_only(), nb::arg("axis").none() = 0, doc_of("stack").c_str(),
      nb::sig("def stack(arrays: Iterable[object], *, axis: int = 0) -> Array"));
  m.def(
      "tril",
      [](nb::handle x, nb::handle k) {
        const Array in = array_of(x);
        return tril(in, clipped(k, "k"));
      },
      nb::arg("x").none(), nb::kw_only(), nb::arg("k").none() = 0, doc_of("tril").c_str(),
      nb::sig("def tril(x: object, /, *, k: int = 0) -> Array"));
  m.def(
      "triu",
      [](nb::handle x, nb::handle k) {
        const Array in = array_of(x);
        return triu(in, clipped(k, "k"));
      },
      nb::arg("x").none(), nb::kw_only(), nb::arg("k").none() = 0, doc_of("triu").c_str(),
      nb::sig("def triu(x: object, /, *, k: int = 0) -> Array"));
}

/// The parameters that every creation function ends with.
constexpr const char* kMade = "dtype: AnyDType | None = None, device: str | None = None) -> Array";

void bind_creation(nb::module_& m) {
  const auto dtype_argument = nb::arg("dtype").none() = nb::none();
  const auto device_argument = nb::arg("device").none() = nb::none();
  m.def(
      "full",
      [](nb::handle shape, nb::handle value, nb::handle dtype, nb::handle device) {
        check_device(device);
        const Dims extents = dims_of(shape, "shape");
        const Number number = number_of(value);
        std::optional<DType> wanted = dtype_of(dtype);
        // NumPy's scalars and arrays of no axes have a dtype of their own.
        if (!wanted && !try_number_of(value)) wanted = array_of(value).dtype();
        return full(extents, number, wanted);
      },
      nb::arg("shape").none(), nb::arg("fill_value").none(), nb::kw_only(), dtype_argument, device_argument,
      doc_of("full").c_str(), nb::sig(cat("def full(shape: Ints, fill_value: complex, *, ", kMade).c_str()));
  m.def(
      "arange",
      [](nb::handle start, nb::handle stop, nb::handle step, nb::handle dtype, nb::handle device) {
        check_device(device);
        const Number zero{Kind::kInt, std::int64_t{0}};
        const Number first = stop.is_none() ? zero : number_of(start);
        return arange(first, stop.is_none() ? number_of(start) : number_of(stop), number_of(step), dtype_of(dtype));
      },
      nb::arg("start").none(), nb::arg("stop").none() = nb::none(), nb::arg("step").none() = 1, nb::kw_only(),
      dtype_argument, device_argument, doc_of("arange").c_str(),
      nb::sig(cat("def arange(start: float, stop: float | None = None, step: float = 1, *, ", kMade).c_str()));
  m.def(
      "linspace",
      [](nb::handle start, nb::handle stop, nb::handle num, nb::handle dtype, nb::handle device, nb::handle endpoint) {
        check_device(device);
        const double first = real_of(start, "start");
        const double last = real_of(stop, "stop");
        const DType wanted = dtype_of(dtype).value_or(DType::k_float64);
        return linspace(first, last, whole_of(num, "num"), wanted, flag_of(endpoint, "endpoint"));
      },
      nb::arg("start").none(), nb::arg("stop").none(), nb::arg("num").none(), nb::kw_only(), dtype_argument,
      device_argument, nb::arg("endpoint").none() = true, doc_of("linspace").c_str(),
      nb::sig(
          "def linspace(start: float, stop: float, num: int, *, dtype: AnyDType | None = None, device: str | None = "
          "None, endpoint: builtins.bool = True) -> Array"));
  m.def(
      "eye",
      [](nb::handle n_rows, nb::handle n_cols, nb::handle k, nb::handle dtype, nb::handle device) {
        check_device(device);
        const std::int64_t rows = whole_of(n_rows, "n_rows");
        const std::int64_t columns = optional_whole(n_cols, "n_cols").value_or(rows);
        return eye(rows, columns, clipped(k, "k"), dtype_of(dtype).value_or(DType::k_float64));
      },
      nb::arg("n_rows").none(), nb::arg("n_cols").none() = nb::none(), nb::kw_only(), nb::arg("k").none() = 0,
      dtype_argument, device_argument, doc_of("eye").c_str(),
      nb::sig(cat("def eye(n_rows: int, n_cols: int | None = None, *, k: int = 0, ", kMade).c_str()));
}

}  // namespace

void bind_functions(nb::module_& m) {
  bind_elementwise(m);
  bind_reductions(m);
  bind_views(m);
  bind_assemblies(m);
  bind_creation(m);
}

}  // namespace penstock::bind
