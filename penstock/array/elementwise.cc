// SPDX-License-Identifier: Apache-2.0
// Elementwise functions: their dtypes, what is computed at once, and nodes for the rest.

#include "penstock/array/array.h"
#include "penstock/array/number.h"
#include "penstock/array/settle.h"
#include "penstock/op/infer.h"
#include "penstock/run/at_once.h"

namespace penstock {
namespace {

/// x ** 2, which everybody writes: a product is exact where pow is near, and ten times as fast.
bool is_square(Op op, std::span<const Operand> operands, const ElementwiseTypes& types) {
  if (op != Op::k_pow || kind_of(types.compute) == Kind::kComplex) return false;
  const Number* number = operands[1].number();
  if (number == nullptr || number->kind == Kind::kBool) return false;
  return std::visit([](const auto& value) { return value == std::decay_t<decltype(value)>(2); }, number->value);
}

/// What numbers among the operands are taken for: they take part in promotion by their kind only, after all arrays.
void type_numbers(Op op, std::span<const Operand> operands, DType* dtypes) {
  const std::size_t condition = op == Op::k_where ? 1 : 0;  // operands that are no part of it
  std::optional<DType> common;
  for (std::size_t i = condition; i < operands.size(); ++i) {
    if (operands[i].array() != nullptr) common = common ? promote(*common, dtypes[i]) : dtypes[i];
  }
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Number* number = operands[i].number();
    if (number == nullptr) continue;
    const DType weak = common ? promote_weak(*common, number->kind) : default_dtype(*number);
    dtypes[i] = i < condition ? DType::k_bool : weak;
  }
}

ElementwiseTypes types_of(Op op, std::span<const Operand> operands) {
  DType dtypes[kMaxArity] = {};
  bool numbers = false;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Array* array = operands[i].array();
    numbers = numbers || array == nullptr;
    if (array != nullptr) dtypes[i] = array->dtype() == DType::k_float16 ? DType::k_float32 : array->dtype();
  }
  if (numbers) type_numbers(op, operands, dtypes);
  return infer_elementwise(op, std::span(dtypes, operands.size()));
}

}  // namespace

std::optional<Array> elementwise_at_once(Op op, std::span<const Operand> operands) {
  for (const Operand& each : operands) {
    if (each.array() != nullptr && each.array()->size() > run::kMostAtOnce) return std::nullopt;
  }
  const ElementwiseTypes types = types_of(op, operands);
  const bool squares = is_square(op, operands, types);
  run::SmallOperand small[kMaxArity];
  bool values = true;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Array* array = operands[i].array();
    if (array != nullptr && array->element() != nullptr)
      small[i].value = *array->element();
    else if (array != nullptr)
      small[i].node = array->held_node();
    else
      small[i].value = scalar_of(*operands[i].number(), types.operand(op, i));
    values = values && small[i].node == nullptr;
  }
  const Op called = squares ? Op::k_square : op;
  const std::span<const run::SmallOperand> given(small, squares ? 1 : operands.size());
  if (values) return Array(run::elementwise_of_values(called, types, given));
  graph::NodeRef result = run::elementwise_at_once(called, types, given);
  return result == nullptr ? std::nullopt : std::optional(Array(std::move(result)));
}

Array elementwise(Op op, std::span<const Operand> operands) {
  if (std::optional<Array> done = elementwise_at_once(op, operands)) return std::move(*done);
  const ElementwiseTypes types = types_of(op, operands);
  std::vector<graph::NodeRef> nodes;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (const Array* array = operands[i].array())
      nodes.push_back(computable(array->node()));
    else
      nodes.push_back(graph::make_constant(scalar_of(*operands[i].number(), types.operand(op, i)), {}));
  }
  if (is_square(op, operands, types))
    return settle(graph::make_elementwise(Op::k_square, {graph::make_cast(nodes[0], types.compute)}));
  return settle(graph::make_elementwise(op, std::move(nodes)));
}

}  // namespace penstock
