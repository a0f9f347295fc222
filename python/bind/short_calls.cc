// SPDX-License-Identifier: Apache-2.0
// Calls of elementwise functions on small arrays in memory. The binding library's own way from Python's arguments to a
// C++ call takes longer than ten elements do.

#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "bind.h"
#include "slots.h"

namespace penstock::bind {
namespace {

/// What the binding library calls, for all that is not answered here.
vectorcallfunc usual[kOpCount] = {};

/// The array that `out=` names, null for none; nothing for what is answered elsewhere.
std::optional<PyObject*> out_of(PyObject* const* arguments, Py_ssize_t n, PyObject* names) {
  if (names == nullptr || PyTuple_GET_SIZE(names) == 0) return nullptr;
  if (PyTuple_GET_SIZE(names) != 1 || PyTuple_GET_ITEM(names, 0) != interned<"out">()) return std::nullopt;
  if (Py_IsNone(arguments[n]) != 0) return nullptr;
  return plain_array(arguments[n]) == nullptr ? std::nullopt : std::optional(arguments[n]);
}

/// The answer, null without an error for what is answered elsewhere.
PyObject* short_answer(Op op, PyObject* const* arguments, Py_ssize_t n, PyObject* names) {
  if (n != row(op).arity) return nullptr;
  const std::optional<PyObject*> out = out_of(arguments, n, names);
  if (!out) return nullptr;
  Operand operands[] = {false, false, false};
  static_assert(std::size(operands) == kMaxArity);
  for (Py_ssize_t i = 0; i < n; ++i) {
    std::optional<Operand> operand = plain_operand(arguments[i]);
    if (!operand) return nullptr;
    operands[i] = std::move(*operand);
  }
  std::optional<Array> done = elementwise_at_once(op, std::span(operands, static_cast<std::size_t>(n)));
  if (!done) return nullptr;
  if (*out == nullptr) return object_of(std::move(*done)).release().ptr();
  take(Instance::of(*out)->array, std::move(*done));
  return Py_NewRef(*out);
}

template <Op op>
PyObject* called(PyObject* self, PyObject* const* arguments, std::size_t flagged, PyObject* names) {
  PyObject* answer = guarded([&] { return short_answer(op, arguments, PyVectorcall_NARGS(flagged), names); });
  if (answer != nullptr || PyErr_Occurred() != nullptr) return answer;
  return usual[static_cast<int>(op)](self, arguments, flagged, names);
}

template <std::size_t... i>
void shorten(const nb::module_& m, std::index_sequence<i...>) {
  const auto one = [&](std::size_t number, vectorcallfunc own) {
    const nb::object function = m.attr(kOps[number].name);
    vectorcallfunc& place = vectorcall_of(function.ptr());
    usual[number] = std::exchange(place, own);
  };
  ((static_cast<Op>(i) == Op::k_clip ? void() : one(i, &called<static_cast<Op>(i)>)), ...);
}

}  // namespace

void shorten_calls(nb::module_& m) { shorten(m, std::make_index_sequence<kOpCount>()); }

}  // namespace penstock::bind
