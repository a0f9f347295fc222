// SPDX-License-Identifier: Apache-2.0
// Small arrays made where they are written, without a node for what they are made of: of one value, counted, or of
// other arrays one after the other. The results are null when there are no elements, or many.
#pragma once

#include <span>

#include "penstock/graph/node.h"

namespace penstock::run {

/// The value as every element.
graph::NodeRef filled_at_once(const graph::Scalar& value, const Dims& shape);

/// start, start + delta, ...: n of them, in the dtype of both.
graph::NodeRef counted_at_once(const graph::Scalar& start, const graph::Scalar& delta, std::int64_t n);

/// Arrays one after the other along an axis, converted; `shape` is the result's, and theirs but for that axis. Null
/// also when one of them is not evaluated or lies in an order that has to be turned.
graph::NodeRef joined_at_once(std::span<const graph::Node* const> parts, int axis, const Dims& shape, DType dtype);

}  // namespace penstock::run
