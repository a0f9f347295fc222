// SPDX-License-Identifier: Apache-2.0
// Cumulative sums and products as operators. The association is kernel/scan.h's.
#pragma once

#include <memory>

#include "penstock/kernel/scan.h"
#include "penstock/run/lines.h"

namespace penstock::run {

using kernel::Cumulative;

/// Whether numbers of a dtype add up in it: not bool, nor float16.
inline bool can_scan(DType dtype) { return kernel::scan_of(Cumulative::kSum, dtype) != nullptr; }

/// (outer, n, inner) gives the same shape and dtype: along each line, the sum (product) up to and with each element.
std::shared_ptr<const graph::Operator> make_scan(Cumulative what, DType dtype, const Lines& lines);

}  // namespace penstock::run
