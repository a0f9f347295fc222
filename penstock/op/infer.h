// SPDX-License-Identifier: Apache-2.0
// Shapes and dtypes of results, and every complaint about operands. Pure functions.
#pragma once

#include <span>

#include "penstock/op/ops.h"
#include "penstock/type/dtype.h"
#include "penstock/type/shape.h"

namespace penstock {

/// What an elementwise operation computes with and gives.
struct ElementwiseTypes {
  DType compute;
  DType result;

  /// What operand `k` of `op` is converted to.
  DType operand(Op op, std::size_t k) const { return op == Op::k_where && k == 0 ? DType::k_bool : compute; }
};

/// From the operands' dtypes, already promoted for weak scalars. Neither is float16: nothing computes in it, float32
/// takes its place. Throws DTypeError naming op, dtypes and what fits.
ElementwiseTypes infer_elementwise(Op op, std::span<const DType> operands);

/// The dtype a reduction accumulates in: integers sum and multiply in 64 bits, floats in their own type,
/// min, max, argmin and argmax compare in the operand's dtype. Throws DTypeError for order among complex numbers.
DType accumulator_of(Reduction r, DType operand);

/// The dtype of the reduction's result: int64 for argmin and argmax, the accumulator's otherwise.
DType reduced_dtype(Reduction r, DType operand);

/// The shape left after reducing `axes` (normalised, sorted). Throws ShapeError when a reduction
/// without a value for nothing meets nothing.
Dims reduced_shape(Reduction r, const Dims& shape, const std::vector<int>& axes, bool keepdims);

}  // namespace penstock
