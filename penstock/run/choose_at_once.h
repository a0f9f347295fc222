// SPDX-License-Identifier: Apache-2.0
// Elements of small arrays by their places, and places by their elements, where they are written: without a node for
// them and without a plan. The results are null when one of the arrays is not evaluated, results or indices are large,
// or elements lie in an order that has to be turned.
#pragma once

#include "penstock/graph/node.h"
#include "penstock/run/at_once.h"
#include "penstock/run/lines.h"

namespace penstock::run {

/// x, seen as `lines`, with the elements along its axis that `index` names, of any integer dtype; negative ones count
/// from the end. Null also when one is out of range. `shape` is the result's.
graph::NodeRef take_at_once(const graph::Node& x, const graph::Node& index, const Lines& lines, const Dims& shape);

/// x with the parts that `index` names along its first axis replaced by `values`, of x's dtype, which broadcast to the
/// shape of these; of equal indices the last stays. Null also when one is out of range. Throws ShapeError.
graph::NodeRef put_at_once(const graph::Node& x, const graph::Node& index, const SmallOperand& values);

/// The int64 places of the elements that are not false in a bool array, in C order.
graph::NodeRef nonzero_at_once(const graph::Node& condition);

}  // namespace penstock::run
