// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "penstock/type/shape.h"

namespace penstock {

/// The index begin:end.
inline Index slice(std::int64_t begin, std::int64_t end) { return {Index::Type::kSlice, begin, end, 1, true}; }

}  // namespace penstock
