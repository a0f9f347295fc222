// SPDX-License-Identifier: Apache-2.0
// What operators that are Python functions share: memory lent to a function, and the function given back.
#pragma once

#include "bind.h"
#include "penstock/graph/operator.h"

namespace penstock::bind {

/// Memory that a function is lent for the time of a call, as a NumPy array. The caller holds the interpreter's lock.
nb::object lent(const graph::Lease& lease, DType dtype, bool writable);

/// Gives a function back; after the interpreter has ended there is nobody left to give it to.
void drop(nb::callable& f);

}  // namespace penstock::bind
