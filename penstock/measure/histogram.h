// SPDX-License-Identifier: Apache-2.0
// A histogram of durations or sizes whose percentiles are at most 1 % off, whatever their magnitude.
//
// Log-linear buckets: values below 128 have one each; above, every power of two is cut into 64 even parts.
//
//   value  0 1 2 ... 127 | 128 130 132 ... 254 | 256 260 264 ... | ... 2^63 - 1
//   bucket 0 1 2 ... 127 | 128 129 130 ... 191 | 192 193 194 ... | ... 3711
//
// Threads count into shards of their own with relaxed atomics; the sums are exact. Histograms merge by adding: the
// percentile of all is that of the merged histogram, never the mean of percentiles.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

namespace penstock::measure {

/// The counts of a histogram at one moment.
class Counts {
 public:
  static constexpr int kBuckets = 3712;

  /// The bucket of a value; below 0 counts as 0.
  static int bucket_of(std::int64_t value);
  /// The smallest value of a bucket; of kBuckets: beyond the largest.
  static std::uint64_t lower_edge(int bucket);

  void add(int bucket, std::int64_t count) { counts_[static_cast<std::size_t>(bucket)] += count; }
  /// This becomes the histogram of both.
  void merge(const Counts& other);
  /// This becomes what was counted since `earlier`, a state of the same histogram.
  void subtract(const Counts& earlier);

  /// How many values there are.
  std::int64_t n() const;
  /// The value at rank ceil(q n) of the sorted ones, at most 1 % off: the middle of its bucket. q in (0, 1]. Nothing
  /// where there are fewer than 1 / (1 - q) values: of 999 there is no P999.
  std::optional<double> percentile(double q) const;

 private:
  std::vector<std::int64_t> counts_ = std::vector<std::int64_t>(kBuckets);
};

/// A histogram that any number of threads record into at once.
class Histogram {
 public:
  /// Counts one value: one relaxed addition, in a shard that few other threads use.
  void record(std::int64_t value) {
    shard()[static_cast<std::size_t>(Counts::bucket_of(value))].fetch_add(1, std::memory_order_relaxed);
  }
  /// The counts so far: exact for what was recorded before.
  Counts counts() const;

 private:
  static constexpr std::size_t kShards = 8;
  using Shard = std::array<std::atomic<std::int64_t>, Counts::kBuckets>;

  Shard& shard();
  std::array<Shard, kShards> shards_{};
};

}  // namespace penstock::measure
