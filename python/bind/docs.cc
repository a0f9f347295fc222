// SPDX-License-Identifier: Apache-2.0
#include "docs.h"

#include <initializer_list>
#include <string>
#include <string_view>

#include "penstock/base/error.h"

namespace penstock::bind {
namespace {

struct Row {
  std::string_view name, origin, text, shapes, dtypes, raises;
};

// What functions say of their parameter `out`.
#define PENSTOCK_OUT                                                                                                 \
  "`out`: an array or a writable NumPy array of the result's shape and dtype, which takes it and is returned; what " \
  "is\nnone gives ShapeError, DTypeError or ArgumentError."

constexpr Row kRows[] = {
#define PENSTOCK_DOC(name, origin, text, shapes, dtypes, raises) {name, origin, text, shapes, dtypes, raises},
#include "array_docs.def"
#include "docs.def"
#undef PENSTOCK_DOC
};

/// By appending: a stream for each of a thousand parts takes half a millisecond of the import.
std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

/// What an elementwise function computes.
constexpr std::string_view meaning(Op op) {
  switch (op) {
#define PENSTOCK_ELEMENTWISE_DOC(name, text) \
  case Op::k_##name:                         \
    return text;
#include "elementwise_docs.def"
#undef PENSTOCK_ELEMENTWISE_DOC
  }
  return {};
}

constexpr bool all_have_a_meaning() {
  for (int i = 0; i < kOpCount; ++i) {
    if (meaning(static_cast<Op>(i)).empty()) return false;
  }
  return true;
}
static_assert(all_have_a_meaning(), "a row of elementwise.def has no row in elementwise_docs.def");

std::string_view taken(Domain domain) {
  switch (domain) {
    case Domain::kAny:
      return "any";
    case Domain::kBoolean:
      return "any, read as x != 0";
    case Domain::kBits:
      return "bool and integers";
    case Domain::kInteger:
      return "integers";
    case Domain::kNumeric:
      return "all but bool";
    case Domain::kReal:
      return "integers and floats";
    case Domain::kOrdered:
      return "all but complex ones";
    case Domain::kFloating:
      return "floats and complex ones; integers and bool count as float64";
    case Domain::kRealFloat:
      return "floats; integers and bool count as float64";
    case Domain::kComplex:
      return "complex ones";
    case Domain::kWord:
      return "uint64";
  }
  return {};
}

std::string_view given(const OpRow& row) {
  switch (row.result) {
    case Result::kSame:
      return row.arity == 1 ? "the result has the same" : "the result has the one that the operands promote to";
    case Result::kBool:
      return "the result is bool";
    case Result::kRealPart:
      return "the result has the same, of complex ones the real one";
    case Result::kFloat64:
      return "the result is float64";
  }
  return {};
}

/// Where a function is defined: a section of the standard, a function of NumPy's, or here alone.
std::string defined(std::string_view origin, std::string_view name) {
  if (origin.empty()) return "Beyond the standard.";
  if (origin == "NumPy") return joined({"Beyond the standard: NumPy's ", name, "."});
  return joined({"Array API standard 2025.12: ", origin, ", ", name, "."});
}

std::string elementwise_facts(Op op) {
  const OpRow& row = kOps[static_cast<int>(op)];
  const bool any = row.domain == Domain::kAny || row.domain == Domain::kBoolean;
  std::string raises = any ? "DTypeError for what holds no numbers" : "DTypeError for other dtypes";
  if (row.arity > 1) raises += ", ShapeError for shapes that do not broadcast";
  return joined(
      {"Shapes: ", row.arity == 1 ? "any; the result has that of x." : "any that broadcast; the result's is theirs.",
       "\nDtypes: ", taken(row.domain), "; ", given(row), ".\nRaises ", raises});
}

}  // namespace

std::string doc_of(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name != name) continue;
    const std::string_view bare = name.substr(name.find('.') + 1);
    std::string doc(row.text);
    doc += "\n";
    if (!row.shapes.empty()) doc += joined({"\nShapes: ", row.shapes});
    if (!row.dtypes.empty()) doc += joined({"\nDtypes: ", row.dtypes});
    if (!row.raises.empty()) doc += joined({"\nRaises ", row.raises});
    return joined({doc, "\n", defined(row.origin, bare)});
  }
  throw InternalError(cat(name, " has no row in docs.def"));
}

std::string elementwise_doc(Op op) {
  const std::string_view name = kOps[static_cast<int>(op)].name;
  const char* origin = op == Op::k_where       ? "searching_functions"
                       : op == Op::k_heaviside ? "NumPy"
                                               : "elementwise_functions";
  const bool own = row(op).domain == Domain::kWord;
  return joined(
      {meaning(op), "\n\n" PENSTOCK_OUT "\n\n", elementwise_facts(op), ".\n", defined(own ? "" : origin, name)});
}

std::string operator_doc(Op op, std::string_view method, Place place) {
  const OpRow& row = kOps[static_cast<int>(op)];
  const char* operands = row.arity == 1 ? "(self)" : place == Place::kSecond ? "(other, self)" : "(self, other)";
  const char* in_place =
      place == Place::kInPlace ? "\n\nThe array keeps its shape and dtype, which the result must have." : "";
  return joined({"penstock.", row.name, operands, ": ", meaning(op), in_place, "\n\n", elementwise_facts(op),
                 place == Place::kInPlace ? ", both for a result that does not fit.\n" : ".\n",
                 defined(method.starts_with("__") ? "array_object" : "NumPy", method)});
}

}  // namespace penstock::bind
