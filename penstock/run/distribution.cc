// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/distribution.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "penstock/base/error.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kFirst = 8;  // bytes

}  // namespace

void refuse_changed_indices() {
  throw ArgumentError(
      "the indices changed while they were read. Leave them as they are until the result is there, or choose by a copy "
      "of them");
}

Distribution::Distribution(const std::vector<std::int64_t>& counts, std::int64_t cell, std::int64_t bytes)
    : begins_(counts.size() + 1, 0),
      first_(std::reduce(counts.begin(), counts.end()), kFirst),
      second_(std::reduce(counts.begin(), counts.end()), cell) {
  std::partial_sum(counts.begin(), counts.end(), begins_.begin() + 1);
  for (std::size_t b = 0; b < counts.size(); ++b) at_.push_back({begins_[b], begins_[b]});
  const auto buckets = static_cast<std::int64_t>(counts.size());
  room_ = std::max<std::int64_t>(bytes / 9 * 8 / (buckets * (kFirst + cell)), 1);
  firsts_ = memory::Buffer::allocate(buckets * room_ * kFirst, "items on their way to a scratch file");
  seconds_ = memory::Buffer::allocate(buckets * room_ * cell, "items on their way to a scratch file");
}

void Distribution::add(std::int64_t bucket, std::int64_t first, const std::byte* second) {
  const auto b = static_cast<std::size_t>(bucket);
  if (at_[b].end == begins_[b + 1]) refuse_changed_indices();
  if (at_[b].size() == room_) flush(b);
  const std::int64_t place = bucket * room_ + at_[b].size();
  std::memcpy(firsts_.data() + place * kFirst, &first, kFirst);
  std::memcpy(seconds_.data() + place * second_.cell(), second, static_cast<std::size_t>(second_.cell()));
  ++at_[b].end;
}

std::int64_t Distribution::added(std::int64_t bucket) const {
  const auto b = static_cast<std::size_t>(bucket);
  return at_[b].end - begins_[b];
}

void Distribution::flush(std::size_t b) {
  const std::int64_t n = at_[b].size();
  const auto place = static_cast<std::int64_t>(b) * room_;
  if (n > 0) {
    first_.write(at_[b].begin, firsts_.data() + place * kFirst, n);
    second_.write(at_[b].begin, seconds_.data() + place * second_.cell(), n);
  }
  at_[b].begin = at_[b].end;
}

void Distribution::finish() {
  for (std::size_t b = 0; b < at_.size(); ++b) flush(b);
  firsts_ = {};
  seconds_ = {};
  first_.finish();
  second_.finish();
}

Range Distribution::items(std::int64_t bucket) const {
  const auto b = static_cast<std::size_t>(bucket);
  return {begins_[b], begins_[b + 1]};
}

}  // namespace penstock::run
