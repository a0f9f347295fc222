// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/key_sort.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <utility>

#include "penstock/kernel/table.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kPiece = 16 << 10;  // elements that a thread encodes, merges or decodes at once
constexpr std::int64_t kMostRuns = 64;
constexpr std::int64_t kMostKey = 8;                // bytes of a key that is divided
constexpr std::int64_t kLeastDivided = 2 * kPiece;  // elements
constexpr std::int64_t kChunk = 1024;               // keys that are divided at once, in the first cache
constexpr std::int64_t kSamples = 1023;             // whose quantile is the pivot

/// Null for keys of one byte and of sixteen.
kernel::Divide divide_of(std::int64_t size) {
  const auto log2 = static_cast<std::size_t>(std::countr_zero(static_cast<std::uint64_t>(size)));
  return kernel::table().divide[log2];
}

/// Appends the ends of about equal parts of [begin, end).
void cut_evenly(std::vector<std::int64_t>& bounds, std::int64_t end, std::int64_t parts) {
  const std::int64_t begin = bounds.back();
  for (std::int64_t i = 1; i <= parts; ++i) bounds.push_back(begin + (end - begin) * i / parts);
}

/// f(worker, piece) for pieces of [0, n), by the crew.
template <class F>
void share_pieces(const Crew& crew, std::int64_t n, const F& f) {
  share(crew, (n + kPiece - 1) / kPiece, [&](int worker, std::int64_t i) {
    f(worker, Range{i * kPiece, std::min(n, (i + 1) * kPiece)});
  });
}

}  // namespace

std::vector<std::int64_t> KeySort::sorted_runs(const std::byte* x, Range places, const Crew& crew, std::byte* keys,
                                               bool& zeros) const {
  const std::int64_t n = places.size();
  const std::int64_t runs = std::min<std::int64_t>(crew.threads, kMostRuns);
  const bool divides = runs > 1 && n >= kLeastDivided && divide_of(size()) != nullptr;
  const std::int64_t lower = divides ? runs / 2 : 0;
  std::vector<std::int64_t> bounds{0};
  if (divides) {
    const double fraction = static_cast<double>(lower) / static_cast<double>(runs);
    cut_evenly(bounds, divided(x, places, fraction, crew, keys, zeros), lower);
  }
  cut_evenly(bounds, n, runs - lower);
  std::atomic<bool> found{false};
  share(crew, runs, [&](int, std::int64_t r) {
    const Range run{bounds[static_cast<std::size_t>(r)], bounds[static_cast<std::size_t>(r) + 1]};
    std::byte* own = keys + run.begin * size();
    if (!divides && sorting_.coding.encode(x + run.begin * size_of(dtype_), run.size(), places.begin + run.begin, own))
      found = true;
    sorting_.sorter.sort(own, run.size());
  });
  if (found) zeros = true;
  join(bounds, keys);
  return bounds;
}

/// Encodes all, a `fraction` of them before the others, none of which is less: how many. Keys that equal the pivot are
/// on both sides, so that a value which is there many times leaves no thread without work.
std::int64_t KeySort::divided(const std::byte* x, Range places, double fraction, const Crew& crew, std::byte* keys,
                              bool& zeros) const {
  const kernel::Divide divide = divide_of(size());
  const std::int64_t size = this->size();
  alignas(kMostKey) std::byte pivot[kMostKey];
  pivot_of(x, places, fraction, pivot);
  std::atomic<std::int64_t> below{0};
  std::atomic<std::int64_t> above{places.size()};
  std::atomic<bool> found{false};
  share_pieces(crew, places.size(), [&](int, Range part) {
    alignas(64) std::byte room[3][kChunk * kMostKey + kernel::kDivideSlack];
    for (std::int64_t i = part.begin; i < part.end; i += kChunk) {
      const std::int64_t n = std::min(kChunk, part.end - i);
      if (sorting_.coding.encode(x + i * size_of(dtype_), n, places.begin + i, room[0])) found = true;
      const std::int64_t low = divide(room[0], n, pivot, i / kChunk % 2 == 0, room[1], room[2]);
      const std::int64_t high = n - low;
      std::memcpy(keys + below.fetch_add(low) * size, room[1], static_cast<std::size_t>(low * size));
      std::memcpy(keys + (above.fetch_sub(high) - high) * size, room[2], static_cast<std::size_t>(high * size));
    }
  });
  if (found) zeros = true;
  return below;
}

/// The key that about a `fraction` of all lie before, from samples at places that follow no period of the line.
void KeySort::pivot_of(const std::byte* x, Range places, double fraction, std::byte* pivot) const {
  alignas(64) std::byte keys[kSamples * kMostKey];
  constexpr double kGolden = 0.6180339887498949;
  double at = 0;
  for (std::int64_t i = 0; i < kSamples; ++i) {
    at += at + kGolden < 1 ? kGolden : kGolden - 1;
    const auto place = static_cast<std::int64_t>(at * static_cast<double>(places.size()));
    sorting_.coding.encode(x + place * size_of(dtype_), 1, places.begin + place, keys + i * size());
  }
  sorting_.sorter.sort(keys, kSamples);
  const auto rank = static_cast<std::int64_t>(fraction * static_cast<double>(kSamples));
  std::memcpy(pivot, keys + rank * size(), static_cast<std::size_t>(size()));
}

/// Runs that follow each other in order become one.
void KeySort::join(std::vector<std::int64_t>& bounds, const std::byte* keys) const {
  std::vector<std::int64_t> kept{0};
  for (std::size_t i = 1; i + 1 < bounds.size(); ++i) {
    const std::int64_t bound = bounds[i];
    if (bound == kept.back() || bound == bounds.back()) continue;
    const std::byte* next = keys + bound * size();
    const bool in_order = sorting_.sorter.split(next - size(), 1, next, 1, 1) == 1;
    if (!in_order) kept.push_back(bound);
  }
  kept.push_back(bounds.back());
  bounds = std::move(kept);
}

/// Pairs of runs at a time.
std::byte* KeySort::merged(std::vector<std::int64_t> bounds, const Crew& crew, std::byte* keys,
                           std::byte* other) const {
  while (bounds.size() > 2) {
    if (bounds.size() % 2 == 0) bounds.push_back(bounds.back());  // the last run's partner is empty
    share_pieces(crew, bounds.back(), [&](int, Range todo) {
      // A piece of the result may lie in several pairs.
      auto pair = std::upper_bound(bounds.begin(), bounds.end(), todo.begin) - bounds.begin() - 1;
      pair -= pair % 2;
      for (auto i = static_cast<std::size_t>(pair); todo.size() > 0; i += 2) {
        const Range part{todo.begin, std::min(todo.end, bounds[i + 2])};
        merge_part(keys, {bounds[i], bounds[i + 1]}, bounds[i + 2], part, other + part.begin * size());
        todo.begin = part.end;
      }
    });
    std::swap(keys, other);
    std::vector<std::int64_t> fewer;
    for (std::size_t i = 0; i < bounds.size(); i += 2) fewer.push_back(bounds[i]);
    bounds = std::move(fewer);
    join(bounds, keys);
  }
  return keys;
}

/// The elements `part` of what merging keys [a.begin, a.end) with [a.end, end) gives.
void KeySort::merge_part(const std::byte* keys, Range a, std::int64_t end, Range part, std::byte* out) const {
  const kernel::Sorter& sorter = sorting_.sorter;
  const std::byte* left = keys + a.begin * size();
  const std::byte* right = keys + a.end * size();
  const std::int64_t nb = end - a.end;
  const std::int64_t low = part.begin - a.begin;
  const std::int64_t high = part.end - a.begin;
  const std::int64_t a_low = sorter.split(left, a.size(), right, nb, low);
  const std::int64_t a_high = sorter.split(left, a.size(), right, nb, high);
  sorter.merge(left + a_low * size(), a_high - a_low, right + (low - a_low) * size(), (high - a_high) - (low - a_low),
               out);
}

void KeySort::decode(const std::byte* keys, std::int64_t n, const Crew& crew, std::byte* out) const {
  share_pieces(crew, n, [&](int, Range part) {
    sorting_.coding.decode(keys + part.begin * size(), part.size(), out + part.begin * out_size_);
  });
}

std::int64_t KeySort::count_before(const std::byte* keys, std::int64_t n, const std::byte* key, bool equal) const {
  const auto split = sorting_.sorter.split;
  // Of the first k of keys and `key` merged, are all from `keys`? So it is up to where `key` comes.
  const auto without = [&](std::int64_t k) {
    return equal ? split(keys, n, key, 1, k) == k : split(key, 1, keys, n, k) == 0;
  };
  std::int64_t low = 0;
  for (std::int64_t high = n; low < high;) {
    const std::int64_t middle = high - (high - low) / 2;
    if (without(middle))
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

}  // namespace penstock::run
