// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/key_sort.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace penstock::run {
namespace {

constexpr std::int64_t kPiece = 16 << 10;  // elements that a thread merges or decodes at once
constexpr std::int64_t kMostRuns = 64;

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
  std::vector<std::int64_t> bounds;
  for (std::int64_t r = 0; r <= runs; ++r) bounds.push_back(n * r / runs);
  std::atomic<bool> found{false};
  share(crew, runs, [&](int, std::int64_t r) {
    const Range run{bounds[static_cast<std::size_t>(r)], bounds[static_cast<std::size_t>(r) + 1]};
    std::byte* own = keys + run.begin * size();
    if (sorting_.encode(x + run.begin * size_of(dtype_), run.size(), places.begin + run.begin, own)) found = true;
    sorting_.sorter.sort(own, run.size());
  });
  if (found) zeros = true;
  return bounds;
}

/// Merges pairs of runs until at most `runs` are left; `other` is what holds nothing then.
std::byte* KeySort::merged_to(std::size_t runs, std::vector<std::int64_t>& bounds, const Crew& crew, std::byte* keys,
                              std::byte*& other) const {
  while (bounds.size() > runs + 1) {
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
  }
  return keys;
}

std::byte* KeySort::merged(std::vector<std::int64_t> bounds, const Crew& crew, std::byte* keys,
                           std::byte* other) const {
  return merged_to(1, bounds, crew, keys, other);
}

void KeySort::merge_decoded(std::vector<std::int64_t> bounds, const Crew& crew, std::byte* keys, std::byte* other,
                            std::byte* out) const {
  const std::byte* from = merged_to(2, bounds, crew, keys, other);
  const std::int64_t n = bounds.back();
  if (bounds.size() == 2) return decode(from, n, crew, out);
  // A place for each thread, which stays in its cache, where there is room for so many.
  const bool own = n >= crew.threads * kPiece;
  share_pieces(crew, n, [&](int worker, Range part) {
    std::byte* piece = other + (own ? worker * kPiece : part.begin) * size();
    merge_part(from, {0, bounds[1]}, n, part, piece);
    sorting_.decode(piece, part.size(), out + part.begin * out_size_);
  });
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
    sorting_.decode(keys + part.begin * size(), part.size(), out + part.begin * out_size_);
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
