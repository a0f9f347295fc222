// SPDX-License-Identifier: Apache-2.0
// A tile of an output on its way to its file.
#pragma once

#include <cstdint>

#include "penstock/run/plan.h"

namespace penstock::run {

/// Writes the elements of a stretch of `part`, which lie side by side in `buffer`, to their places in the file.
void write_part(const Destination& part, const memory::Buffer& buffer, Stretch stretch, std::int64_t size);

}  // namespace penstock::run
