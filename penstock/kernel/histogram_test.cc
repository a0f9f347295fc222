// SPDX-License-Identifier: Apache-2.0
// Counting into bins under every target, against a linear search.
#include <cmath>
#include <numeric>

#include "gtest/gtest.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

/// numpy.histogram's counts.
std::vector<std::int64_t> counted(const std::vector<double>& x, const std::vector<double>& edges) {
  std::vector<std::int64_t> counts(edges.size() - 1);
  for (const double each : x) {
    for (std::size_t b = 0; b < counts.size(); ++b) {
      const bool last = b + 1 == counts.size();
      if (each >= edges[b] && (last ? each <= edges[b + 1] : each < edges[b + 1])) ++counts[b];
    }
  }
  return counts;
}

/// The kernel's counts, its copies added up and what lies outside left out. Also checks that each value counts once.
std::vector<std::int64_t> found(const Table& table, const std::vector<double>& x, const std::vector<double>& edges,
                                double scale) {
  const std::size_t bins = edges.size() - 1;
  std::vector<std::int64_t> copies((bins + 1) * kHistogramCopies, 0);
  table.histogram(x.data(), static_cast<std::int64_t>(x.size()), edges.data(), static_cast<std::int64_t>(bins), scale,
                  copies.data());
  EXPECT_EQ(std::accumulate(copies.begin(), copies.end(), std::int64_t{0}), static_cast<std::int64_t>(x.size()));
  std::vector<std::int64_t> counts(bins);
  for (std::size_t i = 0; i < bins * kHistogramCopies; ++i) counts[i / kHistogramCopies] += copies[i];
  return counts;
}

std::vector<double> random_values() {
  std::vector<double> x;
  std::mt19937_64 random(5);
  for (int i = 0; i < 3000; ++i) x.push_back(static_cast<double>(random() >> 11) * 0x1p-50 - 1);
  for (const double each : {double{NAN}, double{INFINITY}, -double{INFINITY}, 0.0, -0.0, 1e300, -1e300})
    x.push_back(each);
  return x;
}

/// With the edges themselves and their neighbours, which a bin's number computed from its width gets wrong.
std::vector<double> with_edges(std::vector<double> x, const std::vector<double>& edges) {
  for (const double edge : edges) {
    for (const double each : {edge, std::nextafter(edge, -9), std::nextafter(edge, 9)}) x.push_back(each);
  }
  return x;
}

double scale_of(const std::vector<double>& edges) {
  return static_cast<double>(edges.size() - 1) / (edges.back() - edges.front());
}

TEST(Histogram, CountsAgainstTheEdges) {
  for (const std::size_t bins : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{10}, std::size_t{333}}) {
    std::vector<double> even;
    std::vector<double> uneven;
    for (std::size_t b = 0; b <= bins; ++b) {
      even.push_back(b == bins ? 3.2 : -0.1 + static_cast<double>(b) * ((3.2 - -0.1) / static_cast<double>(bins)));
      uneven.push_back(std::pow(static_cast<double>(b) / static_cast<double>(bins), 3) * 5 - 0.5);
    }
    const std::vector<double> x = with_edges(with_edges(random_values(), even), uneven);
    for_targets([&](const Table& table) {
      EXPECT_EQ(found(table, x, even, scale_of(even)), counted(x, even)) << bins << " even, " << table.target;
      EXPECT_EQ(found(table, x, uneven, 0), counted(x, uneven)) << bins << " uneven, " << table.target;
    });
  }
}

TEST(Histogram, WhereStepsAreRoundedTheEdgesDecide) {
  // Doubles near 1e16 are 2 apart, so that edges meant to be 2.2 apart are not.
  const double low = 1e16;
  const double high = 1e16 + 22;
  std::vector<double> edges;
  for (int b = 0; b < 10; ++b) edges.push_back(low + b * ((high - low) / 10));
  edges.push_back(high);
  std::vector<double> x;
  for (double each = low - 4; each <= high + 4; each += 2) x.push_back(each);
  for_targets([&](const Table& table) { EXPECT_EQ(found(table, x, edges, scale_of(edges)), counted(x, edges)); });
}

TEST(Histogram, AddsToWhatIsThere) {
  const std::vector<double> edges = {0, 1};
  for_targets([&](const Table& table) {
    std::int64_t copies[2 * kHistogramCopies] = {5, 0, 0, 0, 7};
    for (std::int64_t n = 0; n < 600; ++n) {
      const std::vector<double> x(static_cast<std::size_t>(n), 0.5);
      table.histogram(x.data(), n, edges.data(), 1, 1, copies);
    }
    EXPECT_EQ(copies[0] + copies[1] + copies[2] + copies[3], 5 + 599 * 600 / 2);
    EXPECT_EQ(copies[4], 7);
  });
}

}  // namespace
}  // namespace penstock::kernel
