// SPDX-License-Identifier: Apache-2.0
// What happens to a node right after it is made.
#pragma once

#include <memory>
#include <vector>

#include "penstock/array/array.h"

namespace penstock {

/// The node as an array; evaluated at once when it and its operands are small and in memory, or when the expression has
/// grown too deep.
Array settle(graph::NodeRef node);

/// The node in a dtype that is computed with: float32 for float16.
graph::NodeRef computable(const graph::NodeRef& node);

/// How settle() evaluates, for a caller that holds a lock which others wait for: the binding gives up the interpreter's
/// only then. Set once, before anything is evaluated; null: by evaluate().
using Settler = void (*)(const Array& array);
void set_settler(Settler settler);

/// What an operator computes from arrays.
Array operated(DType dtype, const Dims& shape, std::shared_ptr<const graph::Operator> op,
               const std::vector<Array>& inputs);

/// Whether running the plan would read memory that it writes as `layout` of `memory`, other than element for element.
bool reads_and_writes(const run::Plan& plan, const std::byte* memory, const Layout& layout, std::int64_t size);

}  // namespace penstock
