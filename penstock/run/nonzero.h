// SPDX-License-Identifier: Apache-2.0
// Places of what is true. Portable code for all targets.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::run {

/// Writes first + i to `out` for each i in [0, n) whose byte at x + i * stride is not 0, up to `end`; where the next
/// one goes.
std::int64_t* nonzero(const std::byte* x, std::int64_t stride, std::int64_t n, std::int64_t first, std::int64_t* out,
                      const std::int64_t* end);

}  // namespace penstock::run
