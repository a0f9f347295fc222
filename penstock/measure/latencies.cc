// SPDX-License-Identifier: Apache-2.0
#include "penstock/measure/latencies.h"

#include <array>
#include <cstddef>

namespace penstock::measure {
namespace {

constexpr auto kSteps = static_cast<std::size_t>(Step::kEnd);

// Zeros that no one has written to yet take no memory.
constinit std::array<Histogram, kSteps> histograms;

}  // namespace

void add_latency(Step step, std::int64_t nanoseconds) {
  histograms[static_cast<std::size_t>(step)].record(nanoseconds);
}

std::vector<std::pair<const char*, Counts>> latency_counts() {
  std::vector<std::pair<const char*, Counts>> found;
  for (std::size_t i = 0; i < kSteps; ++i) {
    const auto step = static_cast<Step>(i);
    if (has_latencies(step)) found.emplace_back(name_of(step), histograms[i].counts());
  }
  return found;
}

}  // namespace penstock::measure
