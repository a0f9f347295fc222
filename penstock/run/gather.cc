// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/gather.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "penstock/kernel/gather.h"
#include "penstock/kernel/table.h"
#include "penstock/memory/buffer.h"
#include "penstock/memory/pool.h"
#include "penstock/run/crew.h"
#include "penstock/run/distribution.h"
#include "penstock/run/gather_passes.h"
#include "penstock/run/indices.h"
#include "penstock/run/rooms.h"
#include "penstock/run/tuning.h"

namespace penstock::run {
namespace {

using graph::Box;
using graph::Lease;
using graph::Leases;
using graph::Step;

/// Whether all indices lie in a range.
bool all_in(Range range, const std::int64_t* index, std::int64_t n) {
  std::int64_t least = range.begin;
  std::int64_t greatest = range.begin;
  for (std::int64_t i = 0; i < n; ++i) {
    least = std::min(least, index[i]);
    greatest = std::max(greatest, index[i]);
  }
  return least >= range.begin && greatest < range.end;
}

class Gather final : public ByIndices {
 public:
  Gather(std::int64_t size, const Lines& lines, std::int64_t index_rows, std::int64_t k, const IndexRange& range,
         std::vector<IndexRange> blocks)
      : size_(size), lines_(lines), index_rows_(index_rows), k_(k), range_(range), blocks_(std::move(blocks)) {}

  std::string text() const override { return "take"; }

  std::vector<Step> steps(std::int64_t bytes) const override {
    std::vector<Step> steps;
    const Range all{range_.least, range_.greatest + 1};
    const auto add = [&](Range outer, Range k, Range n, Range inner, bool first) {
      const Range rows = index_rows_ == 1 ? Range{0, 1} : outer;
      steps.push_back({box_of(outer, k, inner),
                       {box_of(outer, n, inner), {{rows.begin, k.begin}, {rows.size(), k.size()}}},
                       first});
    };
    if (plane() <= bytes) {
      cut(lines_.outer, bytes / std::max<std::int64_t>(plane(), 1), [&](Range outer) {
        add(outer, {0, k_}, all, {0, lines_.inner}, true);
      });
      return steps;
    }
    const Cuts at = cuts(bytes);
    cut(lines_.outer, 1, [&](Range outer) {
      cut(lines_.inner, at.columns, [&](Range inner) {
        cut(k_, at.results, [&](Range k) {
          const Range near = named_by(k);
          cut(near.size(), at.window, [&](Range n) {
            add(outer, k, {near.begin + n.begin, near.begin + n.end}, inner, n.begin == 0);
          });
        });
      });
    });
    return steps;
  }

  std::int64_t steps_read(std::int64_t bytes) const override {
    if (plane() <= bytes) {
      return lines_.outer * (range_.greatest + 1 - range_.least) * lines_.inner * size_ +
             rows_read(index_rows_, lines_.outer, plane(), bytes) * k_ * kIndex;
    }
    const Cuts at = cuts(bytes);
    std::int64_t read = 0;
    cut(k_, at.results, [&](Range k) {
      const std::int64_t near = named_by(k).size();
      read += near * lines_.inner * size_;
      read += cuts_of(near, at.window) * cuts_of(lines_.inner, at.columns) * k.size() * kIndex;
    });
    return lines_.outer * read;
  }

  std::int64_t scratch_bytes(const Step& /*step*/, int threads) const override {
    return rooms_bytes(threads, kIndexRoom);
  }

  void compute(const Step& step, const Leases& leases) const override {
    const Dims& shape = step.output.shape;
    if (count(shape) == 0) return;
    const Lease& x = leases.inputs[0];
    const Indices indices(leases.inputs[1], index_rows_);
    const Range near = named_by({step.output.begin[1], step.output.begin[1] + shape[1]});
    const int threads = workers_for(4 * count(shape) * size_, leases.threads, OpClass::kCopy);
    const std::vector<memory::Buffer> own = rooms_for(threads, kIndexRoom, "indices side by side");
    const std::int64_t pieces = (shape[1] + kIndicesAtOnce - 1) / kIndicesAtOnce;
    share({threads, &leases.tick}, shape[0] * pieces, [&](int worker, std::int64_t number) {
      const std::int64_t outer = number / pieces;
      const std::int64_t first = number % pieces * kIndicesAtOnce;
      const std::int64_t n = std::min(kIndicesAtOnce, shape[1] - first);
      const std::int64_t* index = indices.read(outer, first, n, own[static_cast<std::size_t>(worker)].data());
      if (!all_in(near, index, n)) refuse_changed_indices();  // what no index names would be left unwritten
      const std::byte* from = x.data + outer * x.layout.strides[0];
      std::byte* to =
          leases.output.data + outer * leases.output.layout.strides[0] + first * leases.output.layout.strides[1];
      const std::int64_t begin = step.inputs[0].begin[1];
      each_block(x, size_, shape[2], size_, [&](std::int64_t in, std::int64_t out, std::int64_t bytes) {
        kernel::gather(from + in, {x.layout.strides[1], begin, begin + step.inputs[0].shape[1], bytes}, index, n,
                       to + out, leases.output.layout.strides[1]);
      });
    });
  }

  std::int64_t least_bytes() const override { return kLeastOfPasses; }
  bool passes_pay(std::int64_t bytes) const override {
    return gather_passes_pay(choosing(), bytes, steps_read(bytes / 2));
  }
  void compute_in_passes(Access& access) const override { gather_in_passes(choosing(), access); }

 private:
  /// How steps within so many bytes are cut where they have less than a plane each: half of the room for a window of
  /// what is read, half for results and their indices. Each result is written with the window that it lies in.
  struct Cuts {
    std::int64_t columns;
    std::int64_t window;
    std::int64_t results;
  };
  Cuts cuts(std::int64_t bytes) const {
    const std::int64_t columns = std::max<std::int64_t>(std::min(bytes / 4 / size_, lines_.inner), 1);
    return {columns, bytes / 2 / (columns * size_), whole_blocks(bytes / 2 / (columns * size_ + kIndex))};
  }

  /// Bytes of all that one outer position needs.
  std::int64_t plane() const { return (range_.greatest + 1 - range_.least + k_) * lines_.inner * size_ + k_ * kIndex; }

  Choosing choosing() const { return {size_, lines_, index_rows_, k_}; }

  /// As many indices whose range is known, where there are so many.
  static std::int64_t whole_blocks(std::int64_t k) { return k < kRangeBlock ? k : k / kRangeBlock * kRangeBlock; }

  /// Where the elements lie that these indices name.
  Range named_by(Range k) const {
    if (blocks_.empty() || k.size() == 0) return {range_.least, range_.greatest + 1};
    Range near{std::numeric_limits<std::int64_t>::max(), 0};
    for (std::int64_t b = k.begin / kRangeBlock; b * kRangeBlock < k.end; ++b) {
      const IndexRange& block = blocks_[static_cast<std::size_t>(b)];
      near = {std::min(near.begin, block.least), std::max(near.end, block.greatest + 1)};
    }
    return near;
  }

  std::int64_t size_;
  Lines lines_;
  std::int64_t index_rows_;
  std::int64_t k_;
  IndexRange range_;
  std::vector<IndexRange> blocks_;
};

class Scatter final : public ByIndices {
 public:
  Scatter(std::int64_t size, const Lines& lines, std::int64_t index_rows, std::int64_t k)
      : size_(size), lines_(lines), index_rows_(index_rows), k_(k) {}

  std::string text() const override { return "an assignment by indices"; }

  std::vector<Step> steps(std::int64_t bytes) const override {
    std::vector<Step> steps;
    const auto add = [&](Range outer, Range n, Range k, Range inner, bool first) {
      const Range rows = index_rows_ == 1 ? Range{0, 1} : outer;
      const Box box = box_of(outer, n, inner);
      steps.push_back({box, {box, {{rows.begin, k.begin}, {rows.size(), k.size()}}, box_of(outer, k, inner)}, first});
    };
    if (plane() <= bytes) {
      cut(lines_.outer, bytes / std::max<std::int64_t>(plane(), 1), [&](Range outer) {
        add(outer, {0, lines_.n}, {0, k_}, {0, lines_.inner}, true);
      });
      return steps;
    }
    const Cuts at = cuts(bytes);
    cut(lines_.outer, 1, [&](Range outer) {
      cut(lines_.inner, at.columns, [&](Range inner) {
        cut(lines_.n, at.window,
            [&](Range n) { cut(k_, at.values, [&](Range k) { add(outer, n, k, inner, k.begin == 0); }); });
      });
    });
    return steps;
  }

  std::int64_t steps_read(std::int64_t bytes) const override {
    if (plane() <= bytes) {
      return lines_.outer * (lines_.n + k_) * lines_.inner * size_ +
             rows_read(index_rows_, lines_.outer, plane(), bytes) * k_ * kIndex;
    }
    const Cuts at = cuts(bytes);
    const std::int64_t windows = cuts_of(lines_.n, at.window);
    return lines_.outer * (cuts_of(k_, at.values) * lines_.n * lines_.inner * size_ +
                           windows * k_ * (cuts_of(lines_.inner, at.columns) * kIndex + lines_.inner * size_));
  }

  std::int64_t scratch_bytes(const Step& /*step*/, int /*threads*/) const override {
    return rooms_bytes(1, kIndexRoom);
  }

  void compute(const Step& step, const Leases& leases) const override {
    const Dims& shape = step.output.shape;
    if (count(shape) == 0) return;
    if (step.first) copy(shape, leases);
    const Lease& values = leases.inputs[2];
    const Indices indices(leases.inputs[1], index_rows_);
    const std::vector<memory::Buffer> own = rooms_for(1, kIndexRoom, "indices side by side");
    const std::int64_t k = step.inputs[1].shape[1];
    // One thread, in order: the last of equal indices stays.
    for (std::int64_t outer = 0; outer < shape[0]; ++outer) {
      cut(k, kIndicesAtOnce, [&](Range part) {
        leases.tick();
        const std::int64_t* index = indices.read(outer, part.begin, part.size(), own[0].data());
        const std::byte* from = values.data + outer * values.layout.strides[0] + part.begin * values.layout.strides[1];
        std::byte* to = leases.output.data + outer * leases.output.layout.strides[0];
        const std::int64_t begin = step.output.begin[1];
        each_block(values, size_, shape[2], size_, [&](std::int64_t in, std::int64_t out, std::int64_t bytes) {
          kernel::scatter(from + in, values.layout.strides[1], index, part.size(),
                          {leases.output.layout.strides[1], begin, begin + shape[1], bytes}, to + out);
        });
      });
    }
  }

  std::int64_t least_bytes() const override { return kLeastOfPasses; }
  bool passes_pay(std::int64_t bytes) const override {
    return scatter_passes_pay(choosing(), bytes, steps_read(bytes / 2));
  }
  void compute_in_passes(Access& access) const override { scatter_in_passes(choosing(), access); }

 private:
  /// How steps within so many bytes are cut where they have less than a plane each.
  struct Cuts {
    std::int64_t columns;
    std::int64_t window;
    std::int64_t values;
  };
  Cuts cuts(std::int64_t bytes) const {
    const std::int64_t columns = std::max<std::int64_t>(std::min(bytes / 8 / size_, lines_.inner), 1);
    return {columns, bytes / 4 / (columns * size_), bytes / 4 / (columns * size_ + kIndex)};
  }

  /// Bytes of all that one outer position needs.
  std::int64_t plane() const { return (2 * lines_.n + k_) * lines_.inner * size_ + k_ * kIndex; }

  Choosing choosing() const { return {size_, lines_, index_rows_, k_}; }

  /// The elements as they were.
  void copy(const Dims& shape, const Leases& leases) const {
    const Lease& x = leases.inputs[0];
    const int threads = workers_for(2 * count(shape) * size_, leases.threads, OpClass::kCopy);
    const auto pack = kernel::table().pack[log2_of(size_)];
    const std::int64_t rows = shape[0] * shape[1];
    const bool lines_of_n = shape[2] == 1 && leases.output.layout.strides[1] == size_;
    if (lines_of_n) {
      const std::int64_t pieces = (shape[1] + kIndicesAtOnce - 1) / kIndicesAtOnce;
      share({threads, &leases.tick}, shape[0] * pieces, [&](int, std::int64_t number) {
        const std::int64_t first = number % pieces * kIndicesAtOnce;
        const std::int64_t outer = number / pieces;
        pack(x.data + outer * x.layout.strides[0] + first * x.layout.strides[1], x.layout.strides[1],
             leases.output.data + outer * leases.output.layout.strides[0] + first * size_,
             std::min(kIndicesAtOnce, shape[1] - first));
      });
      return;
    }
    const std::int64_t group = std::max<std::int64_t>(1, kIndicesAtOnce / shape[2]);
    share({threads, &leases.tick}, (rows + group - 1) / group, [&](int, std::int64_t number) {
      for (std::int64_t row = number * group; row < std::min(rows, (number + 1) * group); ++row) {
        const std::int64_t outer = row / shape[1];
        const std::int64_t j = row % shape[1];
        pack(x.data + outer * x.layout.strides[0] + j * x.layout.strides[1], x.layout.strides[2],
             leases.output.data + outer * leases.output.layout.strides[0] + j * leases.output.layout.strides[1],
             shape[2]);
      }
    });
  }

  std::int64_t size_;
  Lines lines_;
  std::int64_t index_rows_;
  std::int64_t k_;
};

}  // namespace

std::shared_ptr<const graph::Operator> make_gather(std::int64_t size, const Lines& lines, std::int64_t index_rows,
                                                   std::int64_t k, const IndexRange& range,
                                                   std::vector<IndexRange> blocks) {
  return std::make_shared<Gather>(size, lines, index_rows, k, range, std::move(blocks));
}

std::shared_ptr<const graph::Operator> make_scatter(std::int64_t size, const Lines& lines, std::int64_t index_rows,
                                                    std::int64_t k) {
  return std::make_shared<Scatter>(size, lines, index_rows, k);
}

}  // namespace penstock::run
