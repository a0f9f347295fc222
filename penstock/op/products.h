// SPDX-License-Identifier: Apache-2.0
// Shapes and dtypes of matrix and dot products, and every complaint about their operands. Pure functions.
#pragma once

#include <vector>

#include "penstock/type/dtype.h"
#include "penstock/type/shape.h"

namespace penstock {

/// The dtype that products of these are computed in and give: the common one, float32 for float16, which nothing
/// computes in.
DType product_dtype(DType a, DType b);

/// (..., m, k) by (..., k, n): (..., m, n), the axes before the last two broadcast. Throws ShapeError naming both
/// shapes.
Dims matmul_shape(const Dims& a, const Dims& b);

/// (..., k) by (..., k): (...), broadcast. Throws ShapeError naming both shapes.
Dims vecdot_shape(const Dims& a, const Dims& b);

/// Axes of two operands that are summed over, in pairs; normalised.
struct Contraction {
  std::vector<int> a;
  std::vector<int> b;
};

/// Throws ShapeError unless the paired axes have the same extents, AxisError for one that repeats or is out of range.
Contraction contraction_of(const Dims& a, const Dims& b, const Dims& a_axes, const Dims& b_axes);

}  // namespace penstock
