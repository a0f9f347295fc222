// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/sort_passes.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "penstock/memory/buffer.h"
#include "penstock/run/cell_file.h"
#include "penstock/run/packed.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kLeastPiece = 16 << 10;   // elements
constexpr std::int64_t kMostRuns = 128;          // that are merged at once
constexpr std::int64_t kLeastWindow = 64 << 10;  // bytes of a run in memory: a read takes some KiB more

graph::Box part_of(const LongLine& line, Range part) { return {{line.row, part.begin}, {1, part.size()}}; }

/// Sorted keys in a scratch file, run after run.
struct Runs {
  std::vector<std::int64_t> bounds{0};
  std::unique_ptr<CellFile> keys;

  Runs(const KeySort& sort, std::int64_t n) : keys(std::make_unique<CellFile>(n, sort.size())) {}
};

/// What of a run lies in memory, and what is yet to be read.
class Window {
 public:
  Window(const CellFile& file, Range left, std::int64_t most)
      : file_(&file), size_(file.cell()), most_(most), left_(left) {}

  /// Reads on where nothing is in memory any more.
  void fill() {
    if (at_ < held_ || left_.size() == 0) return;
    at_ = 0;
    held_ = std::min(most_, left_.size());
    bytes_ = {};
    bytes_ = file_->read({left_.begin, left_.begin + held_});
    left_.begin += held_;
  }
  const std::byte* keys() const { return bytes_.data + at_ * size_; }
  std::int64_t count() const { return held_ - at_; }
  const std::byte* last() const { return bytes_.data + (held_ - 1) * size_; }
  bool goes_on() const { return left_.size() > 0; }
  void take(std::int64_t n) { at_ += n; }

 private:
  const CellFile* file_;
  std::int64_t size_;
  std::int64_t most_;
  Range left_;  // keys in the file
  std::int64_t at_ = 0;
  std::int64_t held_ = 0;
  store::FileBytes bytes_;
};

/// Takes sorted keys, piece by piece: the first of them is number `first` of the line.
using Sink = std::function<void(std::int64_t first, const std::byte* keys, std::int64_t n)>;

class LongSort {
 public:
  LongSort(const LongLine& line, const KeySort& sort, Access& access)
      : line_(line), sort_(sort), access_(access), crew_(access.crew()), memory_(access.available() / 10 * 9) {}

  void run() {
    Runs runs = sorted_pieces();
    while (std::ssize(runs.bounds) - 1 > most_runs()) runs = longer(runs);
    merge(runs, {0, std::ssize(runs.bounds) - 1}, [&](std::int64_t first, const std::byte* keys, std::int64_t n) {
      access_.write(part_of(line_, {first, first + n}), [&](const graph::Lease& to) {
        sort_.decode(keys, n, crew_, to.data);
        if (zeros_) note_zeros(first, to.data, n);
      });
    });
    if (zeros_begin_ >= 0) restore_zeros();
  }

 private:
  /// Elements that are read, packed and sorted at once.
  std::int64_t piece() const {
    const std::int64_t each = 2 * size_of(line_.dtype) + 2 * sort_.size();
    return std::clamp(memory_ / 9 * 8 / each, kLeastPiece, line_.n);  // blocks of the pool are up to an eighth larger
  }

  /// Keys of each run in memory while so many are merged: in its window, twice where they are merged, and as elements.
  std::int64_t window(std::int64_t runs) const {
    return std::max<std::int64_t>(memory_ / 9 * 8 / (runs * (3 * sort_.size() + line_.out_size)), 1);
  }
  std::int64_t most_runs() const {
    std::int64_t runs = kMostRuns;
    while (runs > 2 && window(runs) * sort_.size() < kLeastWindow) runs /= 2;
    return runs;
  }

  /// Calls f(part, x) for pieces of the line, its elements side by side at x.
  template <class F>
  void for_pieces(const F& f) {
    const std::int64_t size = size_of(line_.dtype);
    memory::Buffer room;
    cut(line_.n, piece(), [&](Range part) {
      const graph::Lease x = access_.read(0, part_of(line_, part));
      const std::int64_t across = x.layout.strides[1];
      if (!side_by_side(x.data, across, size) && room.size() == 0)
        room = memory::Buffer::allocate(piece() * size, "a piece to be sorted");
      f(part, packed(x.data, across, size, part.size(), room.data()));
    });
  }

  Runs sorted_pieces() {
    Runs runs(sort_, line_.n);
    memory::Buffer keys = memory::Buffer::allocate(piece() * sort_.size(), "the keys of a sort");
    memory::Buffer other = memory::Buffer::allocate(piece() * sort_.size(), "the keys of a sort");
    for_pieces([&](Range part, const std::byte* x) {
      const std::byte* sorted =
          sort_.merged(sort_.sorted_runs(x, part, crew_, keys.data(), zeros_), crew_, keys.data(), other.data());
      runs.keys->write(part.begin, sorted, part.size());
      runs.bounds.push_back(part.end);
    });
    runs.keys->finish();
    return runs;
  }

  /// Each most_runs() of them as one.
  Runs longer(const Runs& runs) {
    Runs fewer(sort_, line_.n);
    cut(std::ssize(runs.bounds) - 1, most_runs(), [&](Range group) {
      merge(runs, group,
            [&](std::int64_t first, const std::byte* keys, std::int64_t n) { fewer.keys->write(first, keys, n); });
      fewer.bounds.push_back(runs.bounds[static_cast<std::size_t>(group.end)]);
    });
    fewer.keys->finish();
    return fewer;
  }

  void merge(const Runs& runs, Range group, const Sink& sink) const {
    const auto bound = [&](std::int64_t run) { return runs.bounds[static_cast<std::size_t>(run)]; };
    const std::int64_t most = window(group.size());
    std::vector<Window> windows;
    for (std::int64_t r = group.begin; r < group.end; ++r)
      windows.emplace_back(*runs.keys, Range{bound(r), bound(r + 1)}, most);
    memory::Buffer keys = memory::Buffer::allocate(group.size() * most * sort_.size(), "the keys of a sort");
    memory::Buffer other = memory::Buffer::allocate(group.size() * most * sort_.size(), "the keys of a sort");
    for (std::int64_t done = bound(group.begin); done < bound(group.end);) {
      for (Window& each : windows) each.fill();
      const std::vector<std::int64_t> parts = take_next(windows, keys.data());
      const std::int64_t n = parts.back();
      sink(done, sort_.merged(parts, crew_, keys.data(), other.data()), n);
      done += n;
    }
  }

  /// Moves to `keys` what no key that is not in memory yet can come before; its runs' bounds there.
  std::vector<std::int64_t> take_next(std::vector<Window>& windows, std::byte* keys) const {
    // The least of the last keys of runs that go on; of equals the first run's, behind whose keys the others' come.
    const Window* least = nullptr;
    for (const Window& each : windows) {
      if (!each.goes_on()) continue;
      if (least == nullptr || sort_.count_before(each.last(), 1, least->last(), false) == 1) least = &each;
    }
    std::vector<std::int64_t> bounds{0};
    for (const Window& each : windows) {
      const bool equal = least != nullptr && &each <= least;
      const std::int64_t n =
          least == nullptr ? each.count() : sort_.count_before(each.keys(), each.count(), least->last(), equal);
      std::memcpy(keys + bounds.back() * sort_.size(), each.keys(), static_cast<std::size_t>(n * sort_.size()));
      bounds.push_back(bounds.back() + n);
    }
    // Only now: `least` is looked at until the end.
    for (std::size_t i = 0; i < windows.size(); ++i) windows[i].take(bounds[i + 1] - bounds[i]);
    return bounds;
  }

  /// Zeros follow each other in the result; where they begin.
  void note_zeros(std::int64_t first, const std::byte* sorted, std::int64_t n) {
    if (zeros_begin_ >= 0) return;
    const std::int64_t place = kernel::first_zero(line_.dtype, sorted, n);
    if (place < n) zeros_begin_ = first + place;
  }

  /// Writes the zeros once more, with the signs that they have in the line, in its order.
  void restore_zeros() {
    const std::int64_t size = size_of(line_.dtype);
    memory::Buffer found = memory::Buffer::allocate(piece() * size, "the zeros of a sort");
    std::int64_t at = zeros_begin_;
    for_pieces([&](Range part, const std::byte* x) {
      const std::int64_t n = kernel::zeros_of(line_.dtype, x, part.size(), found.data());
      if (n == 0) return;
      access_.write(part_of(line_, {at, at + n}), [&](const graph::Lease& to) {
        std::memcpy(to.data, found.data(), static_cast<std::size_t>(n * size));
      });
      at += n;
    });
  }

  const LongLine& line_;
  const KeySort& sort_;
  Access& access_;
  Crew crew_;
  std::int64_t memory_;
  bool zeros_ = false;
  std::int64_t zeros_begin_ = -1;
};

}  // namespace

std::int64_t least_bytes_of_long_sort(const LongLine& line, const KeySort& sort) {
  const std::int64_t pieces = kLeastPiece * (3 * size_of(line.dtype) + 2 * sort.size());
  const std::int64_t windows = 2 * kLeastWindow / sort.size() * (3 * sort.size() + line.out_size);
  return 2 * std::max(pieces, windows);
}

void sort_long_line(const LongLine& line, const KeySort& sort, Access& access) { LongSort(line, sort, access).run(); }

}  // namespace penstock::run
