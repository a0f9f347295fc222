// SPDX-License-Identifier: Apache-2.0
// Small operations computed where they are written, without a node for them and without a plan.
#pragma once

#include <span>

#include "penstock/graph/node.h"
#include "penstock/op/infer.h"

namespace penstock::run {

/// Operands of at most so many bytes each, in the dtype that is computed with.
inline constexpr std::int64_t kMostAtOnce = 16 << 10;
/// Of what gives one value, small however much it reads, where its kernel reads each operand as it lies.
inline constexpr std::int64_t kMostReducedAtOnce = 512 << 10;
/// Of a product of matrices, as if each multiply-add read an element.
inline constexpr std::int64_t kMostMultipliedAtOnce = 4 << 20;

/// An operand: a node's elements, or a value that stands for all. The caller keeps the node alive.
struct SmallOperand {
  const graph::Node* node = nullptr;
  graph::Scalar value;
};

/// The result of an elementwise operation, broadcast, its operands converted; null when an operand is large, lies
/// in memory in another order than C's, or is not evaluated. Throws ShapeError for shapes that do
/// not broadcast, BudgetError.
graph::NodeRef elementwise_at_once(Op op, const ElementwiseTypes& types, std::span<const SmallOperand> operands);

/// The result of an operation on values alone.
graph::Scalar elementwise_of_values(Op op, const ElementwiseTypes& types, std::span<const SmallOperand> values);

/// The elements converted to another dtype; null as above.
graph::NodeRef cast_at_once(const graph::Node& in, DType dtype);

/// The value in another dtype.
graph::Scalar cast_of_value(const graph::Scalar& value, DType dtype);

/// The result, of `shape` and one element, of a reduction of all of a node's elements; null as above, or where a second
/// thread would help.
graph::NodeRef reduce_at_once(Reduction reduction, const graph::Node& in, const Dims& shape);

/// The sum of x[i] y[i] over two vectors as long as each other, of the dtype that their product is computed in; null as
/// above.
graph::NodeRef dot_at_once(const graph::Node& x, const graph::Node& y);

/// The product of two matrices, neither of them a vector, in that dtype: however they lie in memory, for it packs what
/// it reads. Null where they are large or not evaluated, or the budget has no room for whole ones. Throws BudgetError.
graph::NodeRef matmul_at_once(const graph::Node& a, const graph::Node& b);

}  // namespace penstock::run
