// SPDX-License-Identifier: Apache-2.0
// Percentiles against sorted values, merging against the union, threads against the sum.
#include "penstock/measure/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "gtest/gtest.h"

namespace penstock::measure {
namespace {

TEST(Histogram, BucketsFollowEachOtherWithoutGaps) {
  for (int bucket = 0; bucket < Counts::kBuckets; ++bucket) {
    const std::uint64_t low = Counts::lower_edge(bucket);
    const std::uint64_t next = Counts::lower_edge(bucket + 1);
    ASSERT_LT(low, next) << bucket;
    ASSERT_EQ(Counts::bucket_of(static_cast<std::int64_t>(low)), bucket);
    ASSERT_EQ(Counts::bucket_of(static_cast<std::int64_t>(next - 1)), bucket);
    // The middle is at most 1 % from either end.
    ASSERT_LE(static_cast<double>(next - 1 - low) / 2, 0.01 * static_cast<double>(low)) << bucket;
  }
  EXPECT_EQ(Counts::bucket_of(std::numeric_limits<std::int64_t>::max()), Counts::kBuckets - 1);
  EXPECT_EQ(Counts::bucket_of(-5), 0);
}

/// Durations of very different lengths.
std::vector<std::int64_t> values(std::size_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> found(n);
  for (std::int64_t& each : found) each = static_cast<std::int64_t>(random() >> (random() % 60 + 1));
  return found;
}

Counts counted(const std::vector<std::int64_t>& all) {
  Counts found;
  for (const std::int64_t each : all) found.add(Counts::bucket_of(each), 1);
  return found;
}

TEST(Histogram, PercentilesAreThoseOfTheSortedValuesToOnePercent) {
  for (const std::size_t n : {std::size_t{1000}, std::size_t{1001}, std::size_t{12345}}) {
    std::vector<std::int64_t> all = values(n, 1);
    const Counts counts = counted(all);
    std::sort(all.begin(), all.end());
    for (const double q : {0.5, 0.95, 0.99, 0.999}) {
      const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(n) - 1e-9));
      const auto expected = static_cast<double>(all[rank - 1]);
      ASSERT_NEAR(counts.percentile(q).value(), expected, 0.01 * expected) << n << " " << q;
    }
  }
}

TEST(Histogram, TooFewValuesHaveNoHighPercentile) {
  EXPECT_FALSE(Counts().percentile(0.5));
  EXPECT_FALSE(counted(values(999, 2)).percentile(0.999));
  EXPECT_TRUE(counted(values(1000, 2)).percentile(0.999));
  EXPECT_FALSE(counted(values(10, 2)).percentile(0));
  EXPECT_FALSE(counted(values(10, 2)).percentile(1.5));
  EXPECT_EQ(counted({7, 3, 5, 100}).percentile(1), 100.0);
  EXPECT_EQ(counted({7, 3, 5, 100}).percentile(0.5), 5.0);
}

TEST(Histogram, MergedIsTheHistogramOfTheUnion) {
  const std::vector<std::int64_t> first = values(3000, 3);
  const std::vector<std::int64_t> second = values(500, 4);
  std::vector<std::int64_t> both = first;
  both.insert(both.end(), second.begin(), second.end());
  Counts merged = counted(first);
  merged.merge(counted(second));
  EXPECT_EQ(merged.n(), 3500);
  for (double q = 0.01; q < 0.995; q += 0.01) EXPECT_EQ(merged.percentile(q), counted(both).percentile(q)) << q;
}

TEST(Histogram, SubtractingLeavesWhatCameAfter) {
  const std::vector<std::int64_t> first = values(3000, 3);
  const std::vector<std::int64_t> second = values(500, 4);
  std::vector<std::int64_t> both = first;
  both.insert(both.end(), second.begin(), second.end());
  Counts after = counted(both);
  after.subtract(counted(first));
  EXPECT_EQ(after.n(), 500);
  for (double q = 0.01; q < 0.995; q += 0.01) EXPECT_EQ(after.percentile(q), counted(second).percentile(q)) << q;
}

TEST(Histogram, ThreadsCountExactly) {
  constexpr int kThreads = 12;
  constexpr int kEach = 20000;
  static Histogram histogram;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < kEach; ++i) histogram.record(i % 2 == 0 ? 5 : 1000 * (t + 1));
      });
    }
  }
  const Counts counts = histogram.counts();
  EXPECT_EQ(counts.n(), kThreads * kEach);
  EXPECT_EQ(counts.percentile(0.5), 5.0);
  EXPECT_NEAR(counts.percentile(1).value(), 12000, 120);
}

}  // namespace
}  // namespace penstock::measure
