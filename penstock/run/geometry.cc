// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/geometry.h"

#include <algorithm>

namespace penstock::run {
namespace {

struct Axis {
  int number;
  std::int64_t extent;
  bool reduced;
};

/// The product of the extents of the run of `reduced` (or kept) axes that ends before `end`; moves `end` to its begin.
std::int64_t take_run(const std::vector<Axis>& axes, std::size_t& end, bool reduced) {
  std::int64_t product = 1;
  while (end > 0 && axes[end - 1].reduced == reduced) product *= axes[--end].extent;
  return product;
}

}  // namespace

std::int64_t Geometry::cores() const {
  std::int64_t n = 1;
  for (const Outer& each : outer) n *= each.extent;
  return n;
}

std::int64_t Geometry::cores_per_output() const {
  std::int64_t n = 1;
  for (const Outer& each : outer) n *= each.reduced ? each.extent : 1;
  return n;
}

std::int64_t Geometry::outputs_under_way() const {
  std::int64_t n = 0;
  for (const Outer& each : outer) {
    if (each.reduced && n == 0) n = 1;
    if (!each.reduced) n *= each.extent;
  }
  return n;
}

std::int64_t Geometry::output_of(std::int64_t core) const {
  std::int64_t output = 0;
  for (std::size_t i = outer.size(); i-- > 0;) {
    output += core % outer[i].extent * outer[i].output_stride;
    core /= outer[i].extent;
  }
  return output;
}

Geometry geometry_of(const Dims& shape, const std::vector<int>& axes) {
  Geometry g;
  std::vector<Axis> walk;
  for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
    const std::int64_t extent = shape[static_cast<std::size_t>(i)];
    // An extent of 1 has no place in any order; it is walked first, where it changes nothing.
    if (extent == 1)
      g.order.push_back(i);
    else
      walk.push_back({i, extent, std::binary_search(axes.begin(), axes.end(), i)});
  }
  const bool any_kept = std::any_of(walk.begin(), walk.end(), [](const Axis& a) { return !a.reduced; });
  std::size_t end = walk.size();
  if (any_kept && !walk.empty() && walk.back().reduced) {
    std::size_t tail = end;
    const std::int64_t run = take_run(walk, tail, true);
    if (run < kNarrow) {
      std::size_t kept = tail;
      take_run(walk, kept, false);
      g.split_kept = kept == 0;
      std::rotate(walk.begin() + static_cast<std::ptrdiff_t>(kept), walk.begin() + static_cast<std::ptrdiff_t>(tail),
                  walk.end());
    }
  }
  if (any_kept) g.channels = take_run(walk, end, false);
  g.length = take_run(walk, end, true);
  g.columns = g.channels >= kNarrow;
  // Nothing is reduced: the leading axis is a kept one like all others.
  if (end == 0 && g.length == 1) g.split_kept = true;
  std::int64_t outputs = 1;
  for (std::size_t i = end; i-- > 0;) {
    g.outer.insert(g.outer.begin(), {walk[i].extent, walk[i].reduced, walk[i].reduced ? 0 : outputs});
    if (!walk[i].reduced) outputs *= walk[i].extent;
  }
  for (const Axis& axis : walk) g.order.push_back(axis.number);
  return g;
}

}  // namespace penstock::run
