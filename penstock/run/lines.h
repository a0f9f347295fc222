// SPDX-License-Identifier: Apache-2.0
// What works along one axis sees an array as (outer, n, inner): n elements to a line, inner lines side by side, outer
// times.
#pragma once

#include <algorithm>
#include <cstdint>

#include "penstock/graph/operator.h"

namespace penstock::run {

struct Lines {
  std::int64_t outer = 1;
  std::int64_t n = 1;
  std::int64_t inner = 1;

  Dims shape() const { return {outer, n, inner}; }
  std::int64_t size() const { return outer * n * inner; }
};

/// A half-open range.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  std::int64_t size() const { return end - begin; }
};

inline graph::Box box_of(Range outer, Range n, Range inner) {
  return {{outer.begin, n.begin, inner.begin}, {outer.size(), n.size(), inner.size()}};
}

/// Calls f with [0, step), [step, 2 step) ... up to n; with [0, 0) when n is 0.
template <class F>
void cut(std::int64_t n, std::int64_t step, const F& f) {
  std::int64_t begin = 0;
  do {
    const std::int64_t end = std::min(begin + std::max<std::int64_t>(step, 1), n);
    f(Range{begin, end});
    begin = end;
  } while (begin < n);
}

}  // namespace penstock::run
