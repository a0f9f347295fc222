// SPDX-License-Identifier: Apache-2.0
// The order in which a generated loop writes its steps.
#pragma once

#include "penstock/kernel/generate.h"

namespace penstock::kernel {

/// The recipe with its steps in an order in which few of them wait for those just before: what many steps depend on
/// comes first, independent chains take turns. Each step has the operands it had, so that all bits stay.
///
/// A processor looks some hundred instructions ahead; a long polynomial written out whole before the next one begins
/// fills that with steps that wait for each other.
Recipe arranged(const Recipe& recipe);

}  // namespace penstock::kernel
