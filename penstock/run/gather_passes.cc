// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/gather_passes.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "penstock/kernel/gather.h"
#include "penstock/memory/buffer.h"
#include "penstock/run/distribution.h"
#include "penstock/run/indices.h"
#include "penstock/run/packed.h"

namespace penstock::run {
namespace {

using graph::Lease;

constexpr std::int64_t kLeastItems = 16;      // of a window on their way to the file
constexpr std::int64_t kMostPiece = 1 << 20;  // items
constexpr std::int64_t kRead = 16 << 10;      // bytes that are moved in the time that a read of few bytes takes

/// Of what is free, what passes take by turns: blocks of the pool are up to an eighth larger.
std::int64_t memory_of(std::int64_t available) { return available / 10 * 8; }

/// Windows of a power of two cells, of which one takes a quarter of the memory at most.
class Windows {
 public:
  Windows(std::int64_t n, std::int64_t cell, std::int64_t memory)
      : n_(n),
        shift_(
            static_cast<int>(std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(memory / 4 / cell, 1)))) -
            1) {}

  std::int64_t count() const { return ((n_ - 1) >> shift_) + 1; }
  std::int64_t of(std::int64_t place) const { return place >> shift_; }
  Range range(std::int64_t window) const { return {window << shift_, std::min((window + 1) << shift_, n_)}; }

 private:
  std::int64_t n_;
  int shift_;
};

/// What both directions do.
class Passes {
 public:
  Passes(const Choosing& what, Access& access)
      : what_(what),
        access_(access),
        memory_(memory_of(access.available())),
        piece_(std::clamp<std::int64_t>(memory_ / 32 / std::max(what.cell(), kIndex), 1, kMostPiece)),
        tick_(access.crew().tick) {}

 protected:
  /// Calls f(part, indices) for pieces of [k.begin, k.end) of a row of indices.
  template <class F>
  void for_indices(std::int64_t outer, Range k, const F& f) {
    memory::Buffer room;
    cut(k.size(), piece_, [&](Range piece) {
      const Range part{k.begin + piece.begin, k.begin + piece.end};
      const std::int64_t row = what_.index_rows == 1 ? 0 : outer;
      const Lease index = access_.read(1, {{row, part.begin}, {1, part.size()}});
      const std::int64_t across = index.layout.strides[1];
      if (room.size() == 0 && !side_by_side(index.data, across, kIndex))
        room = memory::Buffer::allocate(piece_ * kIndex, "indices side by side");
      f(part, reinterpret_cast<const std::int64_t*>(packed(index.data, across, kIndex, part.size(), room.data())));
    });
  }

  /// The window that an index names. Indices were checked when the operator was made, but memory that is somebody
  /// else's may have been written to since.
  std::int64_t window_of(const Windows& windows, std::int64_t place) const {
    if (place < 0 || place >= what_.lines.n) refuse_changed_indices();
    return windows.of(place);
  }

  /// How many indices name elements of each window.
  std::vector<std::int64_t> counted(std::int64_t outer, const Windows& windows) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(windows.count()), 0);
    for_indices(outer, {0, what_.k}, [&](Range part, const std::int64_t* index) {
      for (std::int64_t j = 0; j < part.size(); ++j) ++counts[static_cast<std::size_t>(window_of(windows, index[j]))];
    });
    return counts;
  }

  /// Calls f(items) for pieces of the items.
  template <class F>
  void for_items(Range items, const F& f) {
    if (items.size() == 0) return;
    cut(items.size(), piece_, [&](Range piece) {
      (*tick_)();
      f(Range{items.begin + piece.begin, items.begin + piece.end});
    });
  }

  graph::Box box(std::int64_t outer, Range part) const {
    return box_of({outer, outer + 1}, part, {0, what_.lines.inner});
  }

  const Choosing& what_;
  Access& access_;
  std::int64_t memory_;
  std::int64_t piece_;
  const std::function<void()>* tick_;
};

/// The cells at `places` of what is lent, which begins with place `begin`; `to` takes them one after the other.
void gather_cells(const Choosing& what, const Lease& x, Range window, const std::int64_t* places, std::int64_t n,
                  std::byte* to) {
  const std::int64_t inner = what.lines.inner;
  const bool whole = inner == 1 || x.layout.strides[2] == what.size;
  for (std::int64_t i = 0; i < (whole ? 1 : inner); ++i) {
    kernel::gather(x.data + i * x.layout.strides[2],
                   {x.layout.strides[1], window.begin, window.end, whole ? what.cell() : what.size}, places, n,
                   to + i * what.size, what.cell());
  }
}

void scatter_cells(const Choosing& what, const store::FileBytes& cells, const store::FileBytes& places, std::int64_t n,
                   Range window, const Lease& to) {
  kernel::scatter(cells.data, what.cell(), reinterpret_cast<const std::int64_t*>(places.data), n,
                  {to.layout.strides[1], window.begin, window.end, what.cell()}, to.data);
}

class GatherPasses : Passes {
 public:
  GatherPasses(const Choosing& what, Access& access)
      : Passes(what, access), windows_(what.lines.n, what.cell(), memory_), results_(what.k, what.cell(), memory_) {}

  void run() {
    for (std::int64_t outer = 0; outer < what_.lines.outer; ++outer) {
      Distribution items(counted(outer, windows_), kIndex, memory_ / 4);
      CellFile borders(results_.count() + 1, windows_.count() * kIndex);
      distribute(outer, items, borders);
      CellFile values(what_.k, what_.cell());
      for (std::int64_t w = 0; w < windows_.count(); ++w) fetch(outer, w, items, values);
      values.finish();
      for (std::int64_t r = 0; r < results_.count(); ++r) store(outer, r, items, values, borders);
    }
  }

 private:
  /// Items are an index and the place of its result. Within a window the latter ascend, so that those of a window of
  /// results follow each other. `borders`: for each window of results where its items begin in each window, and in the
  /// end where the last one's end.
  void distribute(std::int64_t outer, Distribution& items, CellFile& borders) {
    const memory::Buffer row = memory::Buffer::allocate(borders.cell(), "borders of windows");
    const auto note = [&](std::int64_t r) {
      auto* begin = reinterpret_cast<std::int64_t*>(row.data());
      for (std::int64_t w = 0; w < windows_.count(); ++w) begin[w] = items.items(w).begin + items.added(w);
      borders.write(r, row.data(), 1);
    };
    for (std::int64_t r = 0; r < results_.count(); ++r) {
      note(r);
      for_indices(outer, results_.range(r), [&](Range part, const std::int64_t* index) {
        for (std::int64_t j = part.begin; j < part.end; ++j) {
          const std::int64_t place = index[j - part.begin];
          items.add(window_of(windows_, place), place, reinterpret_cast<const std::byte*>(&j));
        }
      });
    }
    note(results_.count());
    borders.finish();
    items.finish();
  }

  /// The elements that the items of a window name, in the order of the items.
  void fetch(std::int64_t outer, std::int64_t w, const Distribution& items, CellFile& values) {
    if (items.items(w).size() == 0) return;
    const Lease x = access_.read(0, box(outer, windows_.range(w)));
    const memory::Buffer found = memory::Buffer::allocate(piece_ * what_.cell(), "chosen elements");
    for_items(items.items(w), [&](Range part) {
      const store::FileBytes places = items.first().read(part);
      gather_cells(what_, x, windows_.range(w), reinterpret_cast<const std::int64_t*>(places.data), part.size(),
                   found.data());
      values.write(part.begin, found.data(), part.size());
    });
  }

  void store(std::int64_t outer, std::int64_t r, const Distribution& items, const CellFile& values,
             const CellFile& borders) {
    const store::FileBytes rows = borders.read({r, r + 2});
    const auto* begin = reinterpret_cast<const std::int64_t*>(rows.data);
    access_.write(box(outer, results_.range(r)), [&](const Lease& to) {
      for (std::int64_t w = 0; w < windows_.count(); ++w) {
        for_items({begin[w], begin[windows_.count() + w]}, [&](Range part) {
          scatter_cells(what_, values.read(part), items.second().read(part), part.size(), results_.range(r), to);
        });
      }
    });
  }

  Windows windows_;  // of the elements
  Windows results_;  // of what is chosen
};

class ScatterPasses : Passes {
 public:
  ScatterPasses(const Choosing& what, Access& access)
      : Passes(what, access), windows_(what.lines.n, what.cell(), memory_) {}

  void run() {
    for (std::int64_t outer = 0; outer < what_.lines.outer; ++outer) {
      Distribution items(counted(outer, windows_), what_.cell(), memory_ / 4);
      distribute(outer, items);
      for (std::int64_t w = 0; w < windows_.count(); ++w) store(outer, w, items);
    }
  }

 private:
  /// Items are an index and its value, in the order of the indices: the last of equal ones stays.
  void distribute(std::int64_t outer, Distribution& items) {
    memory::Buffer room = memory::Buffer::allocate(what_.cell(), "a value");
    for_indices(outer, {0, what_.k}, [&](Range part, const std::int64_t* index) {
      const Lease values = access_.read(2, box(outer, part));
      for (std::int64_t j = 0; j < part.size(); ++j) {
        const std::byte* value = values.data + j * values.layout.strides[1];
        if (what_.lines.inner > 1)
          value = packed(value, values.layout.strides[2], what_.size, what_.lines.inner, room.data());
        const std::int64_t place = index[j];
        items.add(window_of(windows_, place), place, value);
      }
    });
    items.finish();
  }

  void store(std::int64_t outer, std::int64_t w, const Distribution& items) {
    const graph::Box part_of_output = box(outer, windows_.range(w));
    const Lease x = access_.read(0, part_of_output);
    access_.write(part_of_output, [&](const Lease& to) {
      copy(x, to, windows_.range(w).size());
      for_items(items.items(w), [&](Range part) {
        scatter_cells(what_, items.second().read(part), items.first().read(part), part.size(), windows_.range(w), to);
      });
    });
  }

  /// The elements as they were.
  void copy(const Lease& x, const Lease& to, std::int64_t n) const {
    const bool lines = what_.lines.inner == 1;
    const std::int64_t across = x.layout.strides[lines ? 1 : 2];
    const auto one = [&](const std::byte* from, std::byte* into, std::int64_t count) {
      const std::byte* found = packed(from, across, what_.size, count, into);
      if (found != into) std::memcpy(into, found, static_cast<std::size_t>(count * what_.size));
    };
    if (lines && (n == 1 || to.layout.strides[1] == what_.size)) return one(x.data, to.data, n);
    for (std::int64_t i = 0; i < n; ++i)
      one(x.data + i * x.layout.strides[1], to.data + i * to.layout.strides[1], what_.lines.inner);
  }

  Windows windows_;
};

bool nothing_chosen(const Choosing& what) { return what.cell() == 0 || what.k == 0; }

/// Whether enough items of each window gather on their way to the file.
bool room_for_items(const Choosing& what, const Windows& windows, std::int64_t available) {
  const std::int64_t items = memory_of(available) / 4 / (kIndex + std::max(what.cell(), kIndex));
  return items / kLeastItems >= windows.count();
}

/// Bytes that passes read and write for each outer position.
std::int64_t moved(const Choosing& what) {
  constexpr std::int64_t kIndices = 6;  // times that an index, or a place, is read or written
  constexpr std::int64_t kValues = 4;
  return what.lines.n * what.cell() + what.k * (kIndices * kIndex + kValues * what.cell());
}

}  // namespace

bool gather_passes_pay(const Choosing& what, std::int64_t available, std::int64_t steps_bytes) {
  if (nothing_chosen(what) || available < kLeastOfPasses) return false;
  const Windows windows(what.lines.n, what.cell(), memory_of(available));
  const Windows results(what.k, what.cell(), memory_of(available));
  if (!room_for_items(what, windows, available)) return false;
  const std::int64_t reads = 2 * windows.count() * results.count();
  return steps_bytes / 2 > what.lines.outer * (moved(what) + reads * kRead);
}

bool scatter_passes_pay(const Choosing& what, std::int64_t available, std::int64_t steps_bytes) {
  if (nothing_chosen(what) || available < kLeastOfPasses) return false;
  const Windows windows(what.lines.n, what.cell(), memory_of(available));
  return room_for_items(what, windows, available) && steps_bytes / 2 > what.lines.outer * moved(what);
}

void gather_in_passes(const Choosing& what, Access& access) { GatherPasses(what, access).run(); }
void scatter_in_passes(const Choosing& what, Access& access) { ScatterPasses(what, access).run(); }

}  // namespace penstock::run
