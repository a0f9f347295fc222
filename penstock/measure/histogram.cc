// SPDX-License-Identifier: Apache-2.0
#include "penstock/measure/histogram.h"

#include <bit>
#include <cmath>

namespace penstock::measure {
namespace {

// Parts of a power of two: 64, so that half of one is 1/128 of the value at most.
constexpr int kPartBits = 6;
constexpr int kParts = 1 << kPartBits;
// Values below have a bucket each.
constexpr std::int64_t kExact = 2 * kParts;

}  // namespace

int Counts::bucket_of(std::int64_t value) {
  if (value < kExact) return value < 0 ? 0 : static_cast<int>(value);
  const auto bits = static_cast<std::uint64_t>(value);
  const int shift = static_cast<int>(std::bit_width(bits)) - 1 - kPartBits;
  // The leading one and the six bits below it: from 64 to 127.
  return shift * kParts + static_cast<int>(bits >> shift);
}

std::uint64_t Counts::lower_edge(int bucket) {
  if (bucket < kExact) return static_cast<std::uint64_t>(bucket);
  const int shift = bucket / kParts - 1;
  return static_cast<std::uint64_t>(kParts + bucket % kParts) << shift;
}

void Counts::merge(const Counts& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

void Counts::subtract(const Counts& earlier) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] -= earlier.counts_[i];
}

std::int64_t Counts::n() const {
  std::int64_t all = 0;
  for (const std::int64_t each : counts_) all += each;
  return all;
}

std::optional<double> Counts::percentile(double q) const {
  const std::int64_t all = n();
  // Rounding takes 0.999 * 1000 to either side of 999.
  const double exact = q * static_cast<double>(all);
  const double rank = std::ceil(exact - 1e-9 * static_cast<double>(all));
  if (all == 0 || !(q > 0) || q > 1) return std::nullopt;
  if (q < 1 && static_cast<double>(all) * (1 - q) < 1 - 1e-9) return std::nullopt;
  std::int64_t before = 0;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    before += counts_[static_cast<std::size_t>(bucket)];
    if (static_cast<double>(before) < rank) continue;
    const auto low = static_cast<double>(lower_edge(bucket));
    return low + (static_cast<double>(lower_edge(bucket + 1)) - low - 1) / 2;
  }
  return std::nullopt;
}

Histogram::Shard& Histogram::shard() {
  static std::atomic<std::size_t> next{0};
  // Threads take the shards in turn; those that meet in one still count exactly.
  thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % kShards;
  return shards_[mine];
}

Counts Histogram::counts() const {
  Counts found;
  for (const Shard& shard : shards_) {
    for (int bucket = 0; bucket < Counts::kBuckets; ++bucket) {
      found.add(bucket, shard[static_cast<std::size_t>(bucket)].load(std::memory_order_relaxed));
    }
  }
  return found;
}

}  // namespace penstock::measure
