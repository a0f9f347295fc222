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
#include "penstock/run/gather_passes.h"
#include "penstock/run/in_passes.h"
#include "penstock/run/packed.h"
#include "penstock/run/rooms.h"
#include "penstock/run/tuning.h"

namespace penstock::run {
namespace {

using graph::Box;
using graph::Lease;
using graph::Leases;
using graph::Step;

constexpr std::int64_t kIndex = 8;                // bytes of an index
constexpr std::int64_t kIndicesAtOnce = 8 << 10;  // that a thread takes

/// Rows of int64 indices, and how they are read where they don't lie side by side.
class Indices {
 public:
  Indices(const Lease& lease, std::int64_t rows) : lease_(lease), rows_(rows) {}

  /// [first, first + n) of the row for outer position `outer`. `room`: of kIndicesAtOnce.
  const std::int64_t* read(std::int64_t outer, std::int64_t first, std::int64_t n, std::byte* room) const {
    const std::byte* at =
        lease_.data + (rows_ == 1 ? 0 : outer) * lease_.layout.strides[0] + first * lease_.layout.strides[1];
    return reinterpret_cast<const std::int64_t*>(packed(at, lease_.layout.strides[1], kIndex, n, room));
  }

 private:
  const Lease& lease_;
  std::int64_t rows_;
};

/// A thread's room for indices.
constexpr std::int64_t kRoom = kIndicesAtOnce * kIndex;

/// Inner elements of x side by side are one block, others each their own: calls f(offset in x, offset in the other
/// array, bytes of a block).
template <class F>
void each_block(const Lease& x, std::int64_t other_stride, std::int64_t inner, std::int64_t size, const F& f) {
  if (inner == 1 || (x.layout.strides[2] == size && other_stride == size)) return f(0, 0, inner * size);
  for (std::int64_t i = 0; i < inner; ++i) f(i * x.layout.strides[2], i * other_stride, size);
}

/// Bytes of the boxes that steps read.
std::int64_t bytes_read(const std::vector<Step>& steps, std::int64_t size) {
  std::int64_t bytes = 0;
  for (const Step& step : steps) {
    for (std::size_t k = 0; k < step.inputs.size(); ++k)
      bytes += count(step.inputs[k].shape) * (k == 1 ? kIndex : size);
  }
  return bytes;
}

class Gather final : public InPasses {
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
    const std::int64_t plane = (all.size() + k_) * lines_.inner * size_ + k_ * kIndex;
    if (plane <= bytes) {
      cut(lines_.outer, bytes / std::max<std::int64_t>(plane, 1), [&](Range outer) {
        add(outer, {0, k_}, all, {0, lines_.inner}, true);
      });
      return steps;
    }
    // Half of the room for a window of what is read, half for results and their indices. Each result is written with
    // the window that it lies in.
    const std::int64_t columns = std::clamp<std::int64_t>(bytes / 4 / size_, 1, lines_.inner);
    const std::int64_t window = bytes / 2 / (columns * size_);
    const std::int64_t results = whole_blocks(bytes / 2 / (columns * size_ + kIndex));
    cut(lines_.outer, 1, [&](Range outer) {
      cut(lines_.inner, columns, [&](Range inner) {
        cut(k_, results, [&](Range k) {
          const Range near = named_by(k);
          cut(near.size(), window, [&](Range n) {
            add(outer, k, {near.begin + n.begin, near.begin + n.end}, inner, n.begin == 0);
          });
        });
      });
    });
    return steps;
  }

  std::int64_t scratch_bytes(const Step& /*step*/, int threads) const override { return rooms_bytes(threads, kRoom); }

  void compute(const Step& step, const Leases& leases) const override {
    const Dims& shape = step.output.shape;
    if (count(shape) == 0) return;
    const Lease& x = leases.inputs[0];
    const Indices indices(leases.inputs[1], index_rows_);
    const int threads = workers_for(4 * count(shape) * size_, leases.threads, OpClass::kCopy);
    const std::vector<memory::Buffer> own = rooms_for(threads, kRoom, "indices side by side");
    const std::int64_t pieces = (shape[1] + kIndicesAtOnce - 1) / kIndicesAtOnce;
    share({threads, &leases.tick}, shape[0] * pieces, [&](int worker, std::int64_t number) {
      const std::int64_t outer = number / pieces;
      const std::int64_t first = number % pieces * kIndicesAtOnce;
      const std::int64_t n = std::min(kIndicesAtOnce, shape[1] - first);
      const std::int64_t* index = indices.read(outer, first, n, own[static_cast<std::size_t>(worker)].data());
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
    return run::passes_pay(choosing(), bytes, bytes_read(steps(bytes / 2), size_));
  }
  void compute_in_passes(Access& access) const override { gather_in_passes(choosing(), access); }

 private:
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

class Scatter final : public InPasses {
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
    const std::int64_t plane = (2 * lines_.n + k_) * lines_.inner * size_ + k_ * kIndex;
    if (plane <= bytes) {
      cut(lines_.outer, bytes / std::max<std::int64_t>(plane, 1), [&](Range outer) {
        add(outer, {0, lines_.n}, {0, k_}, {0, lines_.inner}, true);
      });
      return steps;
    }
    const std::int64_t columns = std::clamp<std::int64_t>(bytes / 8 / size_, 1, lines_.inner);
    const std::int64_t window = bytes / 4 / (columns * size_);
    const std::int64_t values = bytes / 4 / (columns * size_ + kIndex);
    cut(lines_.outer, 1, [&](Range outer) {
      cut(lines_.inner, columns, [&](Range inner) {
        cut(lines_.n, window,
            [&](Range n) { cut(k_, values, [&](Range k) { add(outer, n, k, inner, k.begin == 0); }); });
      });
    });
    return steps;
  }

  std::int64_t scratch_bytes(const Step& /*step*/, int /*threads*/) const override { return rooms_bytes(1, kRoom); }

  void compute(const Step& step, const Leases& leases) const override {
    const Dims& shape = step.output.shape;
    if (count(shape) == 0) return;
    if (step.first) copy(shape, leases);
    const Lease& values = leases.inputs[2];
    const Indices indices(leases.inputs[1], index_rows_);
    const std::vector<memory::Buffer> own = rooms_for(1, kRoom, "indices side by side");
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
    return run::passes_pay(choosing(), bytes, bytes_read(steps(bytes / 2), size_));
  }
  void compute_in_passes(Access& access) const override { scatter_in_passes(choosing(), access); }

 private:
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
