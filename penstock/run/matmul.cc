// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/matmul.h"

#include <algorithm>
#include <limits>

#include "penstock/memory/pool.h"
#include "penstock/op/products.h"
#include "penstock/run/dot.h"
#include "penstock/run/gemm.h"
#include "penstock/run/operate.h"

namespace penstock::run {
namespace {

using graph::Box;
using graph::Lease;
using graph::Leases;
using graph::Step;

/// The part of an operand's box that stands for `box` of the broadcast batch axes.
void set_batch(Box& part, const Box& box, std::size_t batch_rank, std::size_t own_rank) {
  const std::size_t skipped = batch_rank - own_rank;
  for (std::size_t d = 0; d < own_rank; ++d) {
    if (part.shape[d] == 1) continue;
    part.begin[d] = box.begin[skipped + d];
    part.shape[d] = box.shape[skipped + d];
  }
}

/// The offset of number `number` of `batch` (C order) in a lease whose last `own` axes are no batch axes.
std::int64_t batch_offset(const Dims& batch, std::int64_t number, const Layout& layout, std::size_t own) {
  const std::size_t rank = layout.shape.size() - own;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::size_t d = batch.size() - 1 - i;
    const std::int64_t index = number % batch[d];
    number /= batch[d];
    if (i < rank && layout.shape[rank - 1 - i] != 1) offset += index * layout.strides[rank - 1 - i];
  }
  return offset;
}

Dims front(const Dims& shape, std::size_t without) { return {shape.begin(), shape.end() - static_cast<long>(without)}; }

std::int64_t bytes_of(const Step& step, DType dtype) {
  std::int64_t bytes = count(step.output.shape);
  for (const Box& input : step.inputs) bytes += count(input.shape);
  return bytes * size_of(dtype);
}

class Matmul final : public WholeOperator {
 public:
  Matmul(DType dtype, Dims a, Dims b) : dtype_(dtype), a_(std::move(a)), b_(std::move(b)), out_(matmul_shape(a_, b_)) {}

  std::string text() const override { return "matmul"; }

  std::vector<Step> steps(std::int64_t bytes) const override {
    std::vector<Step> steps;
    steps.push_back({graph::whole(out_), {graph::whole(a_), graph::whole(b_)}, true});
    if (bytes_of(steps[0], dtype_) <= bytes) return steps;
    steps.clear();
    const Dims batch = front(out_, 2);
    const Extents block = block_of(bytes / size_of(dtype_));
    for (std::int64_t i = 0; i < count(batch); ++i) add_steps(steps, batch, i, block);
    return steps;
  }

  std::int64_t scratch_bytes(const Step& step, int threads) const override {
    const Extents each = extents_of(step);
    if (is_vector(each)) {
      const std::int64_t rooms = threads * memory::pool_capacity(kTurned);
      return memory::pool_capacity(each.k * size_of(dtype_)) + rooms;
    }
    const std::int64_t at_once = shares_batch(step, each) ? threads : 1;
    return at_once * gemm_bytes(dtype_, each, shares_batch(step, each) ? 1 : threads);
  }

  void compute(const Step& step, const Leases& leases) const override {
    const Dims batch = front(step.output.shape, 2);
    const Extents each = extents_of(step);
    const Crew crew{leases.threads, &leases.tick};
    const auto one = [&](std::int64_t i, const Crew& workers) {
      multiply(each, leases, batch, i, !step.first, workers);
    };
    if (shares_batch(step, each)) {
      share(crew, count(batch), [&](int, std::int64_t i) { one(i, {1, crew.tick}); });
      return;
    }
    for (std::int64_t i = 0; i < count(batch); ++i) one(i, crew);
  }

  /// Of matrices that are no vectors.
  std::int64_t operations() const override {
    constexpr double kMost = 64 << 20;
    constexpr double kAtOnce = 8;  // multiply-adds in the time of an operation
    const Extents each{out_.end()[-2], out_.back(), a_.back()};
    const double adds = static_cast<double>(each.m) * static_cast<double>(each.n) * static_cast<double>(each.k);
    const bool plain = out_.size() == 2 && a_.size() == 2 && b_.size() == 2 && !is_vector(each);
    return plain && adds > 0 && adds <= kMost ? static_cast<std::int64_t>(adds / kAtOnce) : -1;
  }

  std::int64_t whole_bytes(int threads) const override {
    return gemm_bytes(dtype_, {out_.end()[-2], out_.back(), a_.back()}, threads);
  }

  void compute_whole(const Lease& a, const Lease& b, std::byte* out, const Crew& crew) const override {
    gemm(dtype_, {out_[0], out_[1], a_[1]}, matrix_of(a, {}, 0), matrix_of(b, {}, 0), out, out_[1] * size_of(dtype_),
         false, crew);
  }

 private:
  static constexpr std::int64_t kTurned = 256 << 10;  // bytes that dot_rows() takes for each thread
  static constexpr std::int64_t kTile = 8;            // rows and columns: a block has whole ones
  static constexpr std::int64_t kPage = 4096;         // bytes of a row of a step's operand: a file is read in pages

  /// A product with a vector adds along the dot product's tree.
  static bool is_vector(const Extents& each) { return each.m == 1 || each.n == 1; }

  /// Whether whole products of the batch are what threads take.
  static bool shares_batch(const Step& step, const Extents& each) {
    return count(front(step.output.shape, 2)) > 1 && workers_for(each, 2) == 1;
  }

  static Extents extents_of(const Step& step) {
    return {step.output.shape.end()[-2], step.output.shape.back(), step.inputs[0].shape.back()};
  }

  /// Blocks that take at most `elements` together. A block of the result stays while the depth is walked, so it takes
  /// what there is and each step is shallow; of the ways to cut the result, the one that moves fewest elements. Depth
  /// is cut where the sums of registers are, so that it costs no bit.
  Extents block_of(std::int64_t elements) const {
    const Extents all{out_.end()[-2], out_.back(), a_.back()};
    if (is_vector(all)) {
      const std::int64_t rows = std::max<std::int64_t>((elements - all.k) / (all.k + 1), 1);
      return {std::min(all.m, rows), std::min(all.n, rows), all.k};
    }
    Extents best{std::min(all.m, kTile), std::min(all.n, kTile), std::min(all.k, kernel::kProductDepth)};
    const std::int64_t page = std::max(kPage / size_of(dtype_), kernel::kProductDepth);
    if (count_of({kTile, kTile, page}) <= static_cast<double>(elements)) best.k = std::min(all.k, page);
    double least = std::numeric_limits<double>::infinity();
    for (std::int64_t parts = 1; parts <= all.n; parts += 1 + parts / 16) {
      const std::int64_t n = part_of(all.n, parts);
      const std::int64_t rows = (elements - best.k * n) / (n + best.k);
      const std::int64_t m = rows < all.m ? rows / kTile * kTile : all.m;
      if (m <= 0) continue;
      const Extents block{part_of(all.m, (all.m + m - 1) / m), n, best.k};
      const double moved = elements_moved(all, block);
      if (moved >= least) continue;
      least = moved;
      best = block;
    }
    for (Extents deeper = best; best.k < all.k; best = deeper) {
      deeper.k = std::min(all.k, 2 * best.k);
      if (count_of(deeper) > static_cast<double>(elements)) break;
    }
    return best;
  }

  /// Of `parts` about equal ones of an extent, in whole tiles.
  static std::int64_t part_of(std::int64_t extent, std::int64_t parts) {
    const std::int64_t each = (extent + parts - 1) / parts;
    return std::min(extent, (each + kTile - 1) / kTile * kTile);
  }

  static double count_of(const Extents& block) {
    return static_cast<double>(block.m) * static_cast<double>(block.n) +
           static_cast<double>(block.k) * static_cast<double>(block.m + block.n);
  }

  /// Elements read in all steps of a product, and those written: pieces of rows take three times as long as whole ones,
  /// which go past the page cache.
  static double elements_moved(const Extents& all, const Extents& block) {
    const auto parts = [](std::int64_t extent, std::int64_t part) { return (extent + part - 1) / part; };
    const double a = static_cast<double>(all.m) * static_cast<double>(parts(all.n, block.n));
    const double b = static_cast<double>(all.n) * static_cast<double>(parts(all.m, block.m));
    const double written = static_cast<double>(all.m) * static_cast<double>(all.n);
    return static_cast<double>(all.k) * (a + b) + (block.n < all.n ? 3 : 1) * written;
  }

  void add_steps(std::vector<Step>& steps, const Dims& batch, std::int64_t number, const Extents& block) const {
    Box here{Dims(batch.size()), Dims(batch.size(), 1)};
    for (std::size_t d = batch.size(); d-- > 0; number /= batch[d]) here.begin[d] = number % batch[d];
    const std::int64_t m = out_.end()[-2];
    const std::int64_t n = out_.back();
    const std::int64_t k = a_.back();
    for (std::int64_t i = 0; i < m; i += block.m) {
      for (std::int64_t j = 0; j < n; j += block.n) {
        for (std::int64_t p = 0; p < std::max<std::int64_t>(k, 1); p += std::max<std::int64_t>(block.k, 1)) {
          const Extents e{std::min(block.m, m - i), std::min(block.n, n - j), std::min(block.k, k - p)};
          Step step{box_of(out_, here, i, e.m, j, e.n),
                    {box_of(a_, here, i, e.m, p, e.k), box_of(b_, here, p, e.k, j, e.n)},
                    p == 0};
          steps.push_back(std::move(step));
        }
      }
    }
  }

  static Box box_of(const Dims& shape, const Box& batch, std::int64_t row, std::int64_t rows, std::int64_t column,
                    std::int64_t columns) {
    Box box = graph::whole(shape);
    set_batch(box, batch, batch.shape.size(), shape.size() - 2);
    box.begin.end()[-2] = row;
    box.shape.end()[-2] = rows;
    box.begin.back() = column;
    box.shape.back() = columns;
    return box;
  }

  static Matrix matrix_of(const Lease& lease, const Dims& batch, std::int64_t number) {
    return {lease.data + batch_offset(batch, number, lease.layout, 2), lease.layout.strides.end()[-2],
            lease.layout.strides.back()};
  }

  void multiply(const Extents& each, const Leases& leases, const Dims& batch, std::int64_t number, bool add,
                const Crew& crew) const {
    const Matrix a = matrix_of(leases.inputs[0], batch, number);
    const Matrix b = matrix_of(leases.inputs[1], batch, number);
    const Matrix out = matrix_of(leases.output, batch, number);
    auto* to = const_cast<std::byte*>(out.data);
    if (!is_vector(each)) return gemm(dtype_, each, a, b, to, out.row_stride, add, crew);
    if (each.n == 1)
      dot_rows(dtype_, each.m, each.k, a, {b.data, b.row_stride}, to, out.row_stride, crew);
    else
      dot_rows(dtype_, each.n, each.k, b.turned(), {a.data, a.column_stride}, to, size_of(dtype_), crew);
  }

  DType dtype_;
  Dims a_;
  Dims b_;
  Dims out_;
};

class Vecdot final : public WholeOperator {
 public:
  Vecdot(DType dtype, Dims a, Dims b) : dtype_(dtype), a_(std::move(a)), b_(std::move(b)), out_(vecdot_shape(a_, b_)) {}

  std::string text() const override { return "vecdot"; }

  std::vector<Step> steps(std::int64_t bytes) const override {
    const Step all{graph::whole(out_), {graph::whole(a_), graph::whole(b_)}, true};
    if (bytes_of(all, dtype_) <= bytes) return {all};
    return count(out_) == 1 ? along(all, bytes) : by_rows(bytes);
  }

  std::int64_t scratch_bytes(const Step& /*step*/, int /*threads*/) const override { return 0; }

  void compute(const Step& step, const Leases& leases) const override {
    const std::int64_t rows = count(step.output.shape);
    const std::int64_t k = step.inputs[0].shape.back();
    const std::int64_t size = size_of(dtype_);
    const auto one = [&](std::int64_t i, const Crew& crew) {
      const auto vector = [&](const Lease& lease) {
        const std::int64_t offset = batch_offset(step.output.shape, i, lease.layout, 1);
        return Vector{lease.data + offset, lease.layout.strides.back()};
      };
      std::byte* to = leases.output.data + batch_offset(step.output.shape, i, leases.output.layout, 0);
      dot(dtype_, vector(leases.inputs[0]), vector(leases.inputs[1]), k, to, !step.first, crew);
    };
    const Crew crew{leases.threads, &leases.tick};
    if (rows == 1) return one(0, crew);
    const std::int64_t group = std::max<std::int64_t>(1, kGroup / std::max<std::int64_t>(k * size, 1));
    const int workers = rows * k * size < 2 * kGroup ? 1 : crew.threads;
    share({workers, crew.tick}, (rows + group - 1) / group, [&](int, std::int64_t g) {
      for (std::int64_t i = g * group; i < std::min((g + 1) * group, rows); ++i) one(i, {1, crew.tick});
    });
  }

  /// Of two vectors.
  std::int64_t operations() const override { return count(out_) == 1 ? a_.back() : -1; }
  std::int64_t whole_bytes(int /*threads*/) const override { return 0; }

  void compute_whole(const Lease& a, const Lease& b, std::byte* out, const Crew& crew) const override {
    dot(dtype_, {a.data, a.layout.strides.back()}, {b.data, b.layout.strides.back()}, a_.back(), out, false, crew);
  }

 private:
  static constexpr std::int64_t kGroup = 128 << 10;  // bytes of one operand that a thread takes at once

  /// One sum, over blocks of the tree.
  std::vector<Step> along(const Step& all, std::int64_t bytes) const {
    const std::int64_t k = a_.back();
    const std::int64_t blocks = std::max<std::int64_t>(bytes / (2 * size_of(dtype_) * kDotBlock), 1);
    std::vector<Step> steps;
    for (std::int64_t first = 0; first < k; first += blocks * kDotBlock) {
      Step step = all;
      step.first = first == 0;
      for (Box& box : step.inputs) {
        box.begin.back() = first;
        box.shape.back() = std::min(blocks * kDotBlock, k - first);
      }
      steps.push_back(std::move(step));
    }
    return steps;
  }

  /// Some steps of the first axis that has several; all axes before have one.
  std::vector<Step> by_rows(std::int64_t bytes) const {
    std::size_t axis = 0;
    while (out_[axis] == 1) ++axis;
    const std::int64_t row =
        bytes_of({graph::whole(out_), {graph::whole(a_), graph::whole(b_)}, true}, dtype_) / out_[axis];
    const std::int64_t rows = std::max<std::int64_t>(bytes / std::max<std::int64_t>(row, 1), 1);
    std::vector<Step> steps;
    for (std::int64_t first = 0; first < out_[axis]; first += rows) {
      Step step{graph::whole(out_), {graph::whole(a_), graph::whole(b_)}, true};
      step.output.begin[axis] = first;
      step.output.shape[axis] = std::min(rows, out_[axis] - first);
      for (Box& box : step.inputs) set_batch(box, step.output, out_.size(), box.shape.size() - 1);
      steps.push_back(std::move(step));
    }
    return steps;
  }

  DType dtype_;
  Dims a_;
  Dims b_;
  Dims out_;
};

}  // namespace

std::shared_ptr<const graph::Operator> make_matmul(DType dtype, Dims a, Dims b) {
  return std::make_shared<Matmul>(dtype, std::move(a), std::move(b));
}

std::shared_ptr<const graph::Operator> make_vecdot(DType dtype, Dims a, Dims b) {
  return std::make_shared<Vecdot>(dtype, std::move(a), std::move(b));
}

}  // namespace penstock::run
