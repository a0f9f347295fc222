// SPDX-License-Identifier: Apache-2.0
// Matrix and dot products as operators. Their makers' callers have checked shapes (op/products.h) and converted the
// operands to one dtype.
#pragma once

#include <memory>

#include "penstock/graph/operator.h"

namespace penstock::run {

/// (..., m, k) by (..., k, n) gives (..., m, n); the axes before the last two broadcast.
std::shared_ptr<const graph::Operator> make_matmul(DType dtype, Dims a, Dims b);

/// (..., k) by (..., k) gives (...): the sums of products over the last axis, nothing conjugated; the others broadcast.
std::shared_ptr<const graph::Operator> make_vecdot(DType dtype, Dims a, Dims b);

}  // namespace penstock::run
