// SPDX-License-Identifier: Apache-2.0
// Complex maths: the rows of kernel/complex.def, the same code for every target.
#pragma once

#include "penstock/kernel/table.h"

namespace penstock::kernel {

/// Sets the entries of complex64 and complex128 for every row of complex.def.
void fill_complex_maths(Table& table);

}  // namespace penstock::kernel
