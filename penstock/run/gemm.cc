// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/gemm.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "penstock/base/machine.h"
#include "penstock/memory/buffer.h"
#include "penstock/memory/pool.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kBlockOfB = 4 << 20;     // bytes that stay in L3 beside what else is there
constexpr std::int64_t kLeastBlocks = 8;        // of a for each thread, so that a slow one delays the others little
constexpr std::int64_t kWorthWaking = 1 << 21;  // products of numbers
constexpr std::int64_t kLine = 64;
constexpr std::int64_t kPanelsAtOnce = 64 << 10;  // bytes of b that a thread packs at once

std::int64_t round_up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

/// How a product is cut.
struct Blocks {
  std::int64_t depth;    // of k
  std::int64_t columns;  // of b, in whole panels
  std::int64_t rows;     // of a, in whole panels

  Blocks(const kernel::Product& kernel, const Extents& extents, int threads) {
    depth = std::min(extents.k, kernel::kProductDepth);
    const std::int64_t line = std::max<std::int64_t>(depth, 1) * kernel.packed_bytes;
    columns = round_up(std::min(extents.n, std::max(kBlockOfB / line, kernel.columns)), kernel.columns);
    const std::int64_t cached = std::max(caches().l2 / 3 / line, kernel.rows);
    // As many for each thread: none waits for the last block of another.
    const std::int64_t each =
        std::max(threads > 1 ? kLeastBlocks : 1, (extents.m + threads * cached - 1) / (threads * cached));
    rows = round_up((extents.m + threads * each - 1) / (threads * each), kernel.rows);
  }

  std::int64_t bytes_of_a(const kernel::Product& kernel) const { return rows * depth * kernel.packed_bytes; }
  std::int64_t bytes_of_b(const kernel::Product& kernel) const { return columns * depth * kernel.packed_bytes; }
};

class Gemm {
 public:
  Gemm(DType dtype, const Extents& extents, const Crew& crew)
      : kernel_(kernel::table().product[index_of(dtype)]),
        size_(size_of(dtype)),
        extents_(extents),
        crew_{workers_for(extents, crew.threads), crew.tick},
        blocks_(kernel_, extents, crew_.threads),
        packed_b_(memory::Buffer::allocate(blocks_.bytes_of_b(kernel_), "the packed columns of a product")) {
    for (int i = 0; i < crew_.threads; ++i)
      packed_a_.push_back(memory::Buffer::allocate(blocks_.bytes_of_a(kernel_), "the packed rows of a product"));
  }

  void run(const Matrix& a, const Matrix& b, std::byte* out, std::int64_t stride, bool add) {
    for (std::int64_t column = 0; column < extents_.n; column += blocks_.columns) {
      const std::int64_t columns = std::min(blocks_.columns, extents_.n - column);
      for (std::int64_t p = 0; p < extents_.k; p += blocks_.depth) {
        const std::int64_t depth = std::min(blocks_.depth, extents_.k - p);
        const Matrix a_part{a.data + p * a.column_stride, a.row_stride, a.column_stride};
        const Matrix b_part{b.data + p * b.row_stride + column * b.column_stride, b.row_stride, b.column_stride};
        pack_b(b_part, columns, depth);
        multiply_rows(a_part, columns, depth, out + column * size_, stride, add || p > 0);
      }
    }
  }

 private:
  void pack_b(const Matrix& b, std::int64_t columns, std::int64_t depth) {
    const std::int64_t panel = kernel_.columns * depth * kernel_.packed_bytes;
    const std::int64_t step = std::max<std::int64_t>(kPanelsAtOnce / panel, 1) * kernel_.columns;
    share(crew_, (columns + step - 1) / step, [&](int, std::int64_t i) {
      const std::int64_t first = i * step;
      kernel_.pack_columns(b.data + first * b.column_stride, b.column_stride, b.row_stride,
                           std::min(step, columns - first), depth,
                           packed_b_.data() + first * depth * kernel_.packed_bytes);
    });
  }

  void multiply_rows(const Matrix& a, std::int64_t columns, std::int64_t depth, std::byte* out, std::int64_t stride,
                     bool add) {
    share(crew_, (extents_.m + blocks_.rows - 1) / blocks_.rows, [&](int worker, std::int64_t i) {
      const std::int64_t first = i * blocks_.rows;
      const std::int64_t rows = std::min(blocks_.rows, extents_.m - first);
      std::byte* packed = packed_a_[static_cast<std::size_t>(worker)].data();
      kernel_.pack_rows(a.data + first * a.row_stride, a.row_stride, a.column_stride, rows, depth, packed);
      multiply_block(packed, rows, columns, depth, out + first * stride, stride, add);
    });
  }

  void multiply_block(const std::byte* a, std::int64_t rows, std::int64_t columns, std::int64_t depth, std::byte* out,
                      std::int64_t stride, bool add) const {
    const std::int64_t line = depth * kernel_.packed_bytes;
    for (std::int64_t j = 0; j < columns; j += kernel_.columns) {
      const std::byte* panel = packed_b_.data() + j * line;
      const std::byte* next = j + kernel_.columns < columns ? panel + kernel_.columns * line : packed_b_.data();
      const std::int64_t lines = kernel_.columns * kernel_.packed_bytes / kLine;  // of a row of a panel
      for (std::int64_t i = 0; i < rows; i += kernel_.rows) {
        // Each of the first tiles fetches one cache line of each row of the next panel, the others what is there.
        const std::int64_t tile = i / kernel_.rows;
        kernel_.multiply(a + i * line, panel, depth, out + i * stride + j * size_, stride,
                         std::min(kernel_.rows, rows - i), std::min(kernel_.columns, columns - j), add,
                         tile < lines ? next + tile * kLine : panel);
      }
    }
  }

  const kernel::Product& kernel_;
  const std::int64_t size_;
  const Extents extents_;
  const Crew crew_;
  const Blocks blocks_;
  memory::Buffer packed_b_;
  std::vector<memory::Buffer> packed_a_;
};

}  // namespace

int workers_for(const Extents& extents, int threads) {
  // As floats: the product of three extents may leave 63 bits where one of them is 0.
  const double work = static_cast<double>(extents.m) * static_cast<double>(extents.n) * static_cast<double>(extents.k);
  return work < static_cast<double>(kWorthWaking) ? 1 : threads;
}

std::int64_t gemm_bytes(DType dtype, const Extents& extents, int threads) {
  const kernel::Product& kernel = kernel::table().product[index_of(dtype)];
  const int workers = workers_for(extents, threads);
  const Blocks blocks(kernel, extents, workers);
  return memory::pool_capacity(blocks.bytes_of_b(kernel)) + workers * memory::pool_capacity(blocks.bytes_of_a(kernel));
}

void gemm(DType dtype, const Extents& extents, const Matrix& a, const Matrix& b, std::byte* out, std::int64_t stride,
          bool add, const Crew& crew) {
  if (extents.m == 0 || extents.n == 0) return;
  if (extents.k > 0) {
    Gemm(dtype, extents, crew).run(a, b, out, stride, add);
  } else if (!add) {
    for (std::int64_t i = 0; i < extents.m; ++i)
      std::memset(out + i * stride, 0, static_cast<std::size_t>(extents.n * size_of(dtype)));
  }
}

}  // namespace penstock::run
