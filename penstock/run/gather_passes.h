// SPDX-License-Identifier: Apache-2.0
// Elements chosen by indices, and put where indices say, where memory has room for a part of them only and indices jump
// about: indices are first sorted by the window of elements that they name. Everything is then read and written a fixed
// number of times, however large it is.
#pragma once

#include <cstdint>

#include "penstock/run/in_passes.h"
#include "penstock/run/lines.h"

namespace penstock::run {

/// (outer, n, inner) elements of `size` bytes, and int64 indices (1 or outer, k) in [0, n).
struct Choosing {
  std::int64_t size = 1;
  Lines lines;
  std::int64_t index_rows = 1;
  std::int64_t k = 0;

  /// Bytes of what one index names.
  std::int64_t cell() const { return lines.inner * size; }
};

/// Bytes that passes need at least.
inline constexpr std::int64_t kLeastOfPasses = 1 << 20;

/// Whether passes move less than half of what steps that read `steps_bytes` do, where so many bytes of the budget are
/// free. A window takes a fifth of these at most. All windows of elements have items on their way to a file in another
/// fifth, at least 16 each, so that elements are limited to some square of the budget (a gibibyte free: terabytes).
/// gather's passes read the items of each pair of a window of elements and one of results by themselves: where these
/// are too few to be worth two reads, steps it is.
bool gather_passes_pay(const Choosing& what, std::int64_t available, std::int64_t steps_bytes);
bool scatter_passes_pay(const Choosing& what, std::int64_t available, std::int64_t steps_bytes);

/// What make_gather() and make_scatter() make.
class ByIndices : public InPasses {
 public:
  /// Bytes that steps(bytes) read, of which there may be very many: they are not made for it.
  virtual std::int64_t steps_read(std::int64_t bytes) const = 0;
};

/// What make_gather() and make_scatter() describe. Throws ArgumentError where indices changed since they were checked,
/// BudgetError, NoSpaceError and FileError.
void gather_in_passes(const Choosing& what, Access& access);
void scatter_in_passes(const Choosing& what, Access& access);

}  // namespace penstock::run
