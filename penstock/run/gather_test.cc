// SPDX-License-Identifier: Apache-2.0
// Elements chosen by indices and put where they say, against plain loops; every size of element, layouts, pieces.
#include <gtest/gtest.h>

#include "penstock/base/error.h"
#include "penstock/base/temporary_directory.h"
#include "penstock/memory/governor.h"
#include "penstock/run/distribution.h"
#include "penstock/run/gather.h"
#include "penstock/run/gather_passes.h"
#include "penstock/run/nonzero.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

Plain indices_below(std::int64_t n, const Dims& shape, std::uint64_t seed) {
  Plain index(DType::k_int64, shape);
  for (std::int64_t i = 0; i < index.size(); ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    index.as<std::int64_t>()[i] = static_cast<std::int64_t>((seed >> 33) % static_cast<std::uint64_t>(n));
  }
  return index;
}

/// A choice: which elements of (outer, n, inner).
struct Choice {
  Lines lines;
  std::int64_t index_rows;
  std::int64_t k;
};

std::int64_t index_at(const Choice& c, const Plain& index, std::int64_t o, std::int64_t j) {
  return index.as<std::int64_t>()[(c.index_rows == 1 ? 0 : o) * c.k + j];
}

Plain plain_gather(const Choice& c, const Plain& x, const Plain& index) {
  Plain out(x.dtype, {c.lines.outer, c.k, c.lines.inner});
  if (out.size() == 0) return out;
  const std::int64_t size = size_of(x.dtype);
  for (std::int64_t o = 0; o < c.lines.outer; ++o) {
    for (std::int64_t j = 0; j < c.k; ++j) {
      std::memcpy(out.at((o * c.k + j) * c.lines.inner),
                  x.at((o * c.lines.n + index_at(c, index, o, j)) * c.lines.inner),
                  static_cast<std::size_t>(c.lines.inner * size));
    }
  }
  return out;
}

Plain plain_scatter(const Choice& c, const Plain& x, const Plain& index, const Plain& values) {
  Plain out = x;
  if (out.size() == 0) return out;
  const std::int64_t size = size_of(x.dtype);
  for (std::int64_t o = 0; o < c.lines.outer; ++o) {
    for (std::int64_t j = 0; j < c.k; ++j) {
      std::memcpy(out.at((o * c.lines.n + index_at(c, index, o, j)) * c.lines.inner),
                  values.at((o * c.k + j) * c.lines.inner), static_cast<std::size_t>(c.lines.inner * size));
    }
  }
  return out;
}

graph::NodeRef gather_node(const Choice& c, const graph::NodeRef& x, const graph::NodeRef& index) {
  return graph::make_operator(x->dtype, {c.lines.outer, c.k, c.lines.inner},
                              make_gather(size_of(x->dtype), c.lines, c.index_rows, c.k, {0, c.lines.n - 1}),
                              {x, index});
}

graph::NodeRef scatter_node(const Choice& c, const graph::NodeRef& x, const graph::NodeRef& index,
                            const graph::NodeRef& values) {
  return graph::make_operator(x->dtype, c.lines.shape(), make_scatter(size_of(x->dtype), c.lines, c.index_rows, c.k),
                              {x, index, values});
}

/// What a node gives within a budget of so many bytes, by way of a file.
Plain within(std::int64_t bytes, const graph::NodeRef& node, const TemporaryDirectory& directory) {
  {
    const BudgetSetting budget(memory::Governor::instance().used() + bytes);
    const Request request = request_to_file(node, directory.path("out.npy"));
    evaluate({request});
    request.destination.sink->commit();
  }
  return evaluated(file_node(directory.path("out.npy")));
}

const Choice kChoices[] = {{{1, 10, 1}, 1, 0},         {{1, 1, 1}, 1, 3},   {{1, 1000, 1}, 1, 20'000},
                           {{3, 50, 4}, 1, 17},        {{3, 50, 4}, 3, 17}, {{7, 9, 1}, 7, 5},
                           {{1, 300, 100}, 1, 700},    {{2, 5, 0}, 1, 3},   {{0, 5, 2}, 1, 3},
                           {{1, 40'000, 1}, 1, 50'001}};

TEST(Gather, EachSizeOfElement) {
  for (const DType dtype : {DType::k_int8, DType::k_float16, DType::k_float32, DType::k_float64, DType::k_complex128}) {
    for (const Choice& c : kChoices) {
      const Plain x = random_plain(dtype, c.lines.shape(), 1);
      const Plain index = indices_below(c.lines.n, {c.index_rows, c.k}, 2);
      EXPECT_EQ(difference(evaluated(gather_node(c, node_of(x), node_of(index))), plain_gather(c, x, index)), "")
          << name_of(dtype) << " " << shape_text(c.lines.shape()) << " " << c.k;
    }
  }
}

TEST(Gather, LayoutsAndThreads) {
  const Choice c{{4, 60, 8}, 4, 4'000};
  const Plain x = random_plain(DType::k_float32, c.lines.shape(), 1);
  const Plain index = indices_below(c.lines.n, {c.index_rows, c.k}, 2);
  const Plain wanted = plain_gather(c, x, index);
  for (const int threads : {1, 3}) {
    const ThreadSetting setting(threads);
    EXPECT_EQ(difference(evaluated(gather_node(c, transposed_node_of(x), transposed_node_of(index))), wanted), "");
  }
}

TEST(Gather, FromAFileLargerThanTheBudget) {
  const TemporaryDirectory directory;
  for (const Choice& c : {Choice{{1, 2'000'000, 1}, 1, 500'000}, Choice{{2, 1'000, 1'000}, 1, 300}}) {
    const Plain x = random_plain(DType::k_float32, c.lines.shape(), 1);
    const Plain index = indices_below(c.lines.n, {1, c.k}, 2);
    const graph::NodeRef node = gather_node(c, file_node(directory.put("x.npy", npy_text(x))), node_of(index));
    {
      const BudgetSetting budget(memory::Governor::instance().used() + (2 << 20));
      const Request request = request_to_file(node, directory.path("out.npy"));
      evaluate({request});
      request.destination.sink->commit();
    }
    EXPECT_EQ(difference(evaluated(file_node(directory.path("out.npy"))), plain_gather(c, x, index)), "");
  }
}

TEST(Gather, InPassesWhereIndicesJumpAbout) {
  const TemporaryDirectory directory;
  const EnvSetting scratch("PENSTOCK_SCRATCH", directory.path(""));
  for (const Choice& c : {Choice{{1, 900'000, 1}, 1, 800'000}, Choice{{2, 150'000, 3}, 2, 200'000}}) {
    for (const DType dtype : {DType::k_int16, DType::k_complex64}) {
      const Plain x = random_plain(dtype, c.lines.shape(), 1);
      const Plain index = indices_below(c.lines.n, {c.index_rows, c.k}, 2);
      const graph::NodeRef node = gather_node(c, file_node(directory.put("x.npy", npy_text(x))),
                                              file_node(directory.put("i.npy", npy_text(index))));
      EXPECT_EQ(difference(within(3 << 19, node, directory), plain_gather(c, x, index)), "")
          << name_of(dtype) << " " << shape_text(c.lines.shape());
    }
  }
}

/// Bytes of the boxes that steps read.
std::int64_t bytes_read(const std::vector<graph::Step>& steps, std::int64_t size) {
  std::int64_t bytes = 0;
  for (const graph::Step& step : steps) {
    for (std::size_t k = 0; k < step.inputs.size(); ++k) bytes += count(step.inputs[k].shape) * (k == 1 ? 8 : size);
  }
  return bytes;
}

TEST(Gather, StepsAreWeighedWithoutMakingThem) {
  for (const Choice& c :
       {Choice{{1, 3'000'000, 1}, 1, 2'000'000}, Choice{{3, 1'000, 500}, 3, 7'000}, Choice{{2, 40, 300'000}, 2, 90}}) {
    const auto gather = make_gather(4, c.lines, c.index_rows, c.k, {0, c.lines.n - 1});
    const auto scatter = make_scatter(4, c.lines, c.index_rows, c.k);
    for (const std::int64_t bytes : {1 << 20, 3 << 20, 1 << 30}) {
      for (const auto* op : {gather.get(), scatter.get()}) {
        EXPECT_EQ(dynamic_cast<const ByIndices*>(op)->steps_read(bytes), bytes_read(op->steps(bytes), 4))
            << op->text() << " " << shape_text(c.lines.shape()) << " " << bytes;
      }
    }
  }
}

TEST(Gather, PassesPayWhereReadsAreWorthIt) {
  constexpr std::int64_t kFree = 8 << 20;
  constexpr std::int64_t kMuch = std::int64_t{1} << 60;
  const Choosing many{8, {1, 64 << 20, 1}, 1, 64 << 20};
  EXPECT_TRUE(gather_passes_pay(many, kFree, kMuch));
  const std::int64_t moved = many.lines.n * 8 + many.k * 80;
  EXPECT_TRUE(scatter_passes_pay(many, kFree, 3 * moved));
  EXPECT_FALSE(scatter_passes_pay(many, kFree, 2 * moved));
  // 512 windows of 1 MiB each way make half a million reads.
  EXPECT_FALSE(gather_passes_pay(many, kFree, 3 * moved));
  EXPECT_TRUE(gather_passes_pay(many, kFree, 6 * moved));
  // More windows than there is room for some items of each.
  const Choosing very_many{8, {1, std::int64_t{1} << 40, 1}, 1, 64 << 20};
  EXPECT_FALSE(gather_passes_pay(very_many, kFree, kMuch));
  EXPECT_FALSE(scatter_passes_pay(very_many, kFree, kMuch));
}

TEST(Gather, PassesRefuseIndicesThatChangedSinceTheyWereChecked) {
  const TemporaryDirectory directory;
  const EnvSetting scratch("PENSTOCK_SCRATCH", directory.path(""));
  const Choice c{{1, 900'000, 1}, 1, 800'000};
  const Plain x = random_plain(DType::k_float64, c.lines.shape(), 1);
  const graph::NodeRef file = file_node(directory.put("x.npy", npy_text(x)));
  const graph::NodeRef values = file_node(directory.put("v.npy", npy_text(x)));
  for (const std::int64_t foreign : {std::int64_t{1} << 50, -(std::int64_t{1} << 50), c.lines.n, std::int64_t{-1}}) {
    Plain index = indices_below(c.lines.n, {1, c.k}, 2);
    index.as<std::int64_t>()[c.k / 2] = foreign;
    const graph::NodeRef changed = node_of(index);
    EXPECT_THROW(within(3 << 19, gather_node(c, file, changed), directory), ArgumentError) << foreign;
    EXPECT_THROW(within(3 << 19, scatter_node(c, file, changed, values), directory), ArgumentError) << foreign;
  }
}

TEST(Distribution, RefusesMoreItemsThanWereCounted) {
  const TemporaryDirectory directory;
  const EnvSetting scratch("PENSTOCK_SCRATCH", directory.path(""));
  Distribution items({2, 1}, 8, 1 << 16);
  const std::int64_t value = 5;
  const auto add = [&](std::int64_t bucket) { items.add(bucket, 7, reinterpret_cast<const std::byte*>(&value)); };
  add(1);
  add(0);
  EXPECT_THROW(add(1), ArgumentError);
  add(0);
  EXPECT_THROW(add(0), ArgumentError);
}

TEST(Gather, ReadsNearTheIndicesOnly) {
  const TemporaryDirectory directory;
  const Choice c{{1, 3'000'000, 1}, 1, 300'000};
  const Plain x = random_plain(DType::k_float32, c.lines.shape(), 1);
  Plain index(DType::k_int64, {1, c.k});
  std::vector<IndexRange> blocks;
  for (std::int64_t j = 0; j < c.k; ++j) {
    index.as<std::int64_t>()[j] = 10 * j + j % 7;
    if (j % kRangeBlock == 0) blocks.push_back({10 * j, 0});
    blocks.back().greatest = 10 * j + 6;
  }
  const auto op = make_gather(4, c.lines, 1, c.k, {0, c.lines.n - 1}, blocks);
  std::int64_t read = 0;
  for (const graph::Step& step : op->steps(2 << 20)) read += count(step.inputs[0].shape);
  EXPECT_LT(read, 2 * c.lines.n);
  const graph::NodeRef node = graph::make_operator(DType::k_float32, {1, c.k, 1}, op,
                                                   {file_node(directory.put("x.npy", npy_text(x))), node_of(index)});
  EXPECT_EQ(difference(within(2 << 20, node, directory), plain_gather(c, x, index)), "");
}

TEST(Scatter, EachSizeOfElementAndTheLastOfEqualsStays) {
  for (const DType dtype : {DType::k_int8, DType::k_int16, DType::k_float32, DType::k_float64, DType::k_complex128}) {
    for (const Choice& c : kChoices) {
      const Plain x = random_plain(dtype, c.lines.shape(), 1);
      const Plain index = indices_below(c.lines.n, {c.index_rows, c.k}, 2);
      const Plain values = random_plain(dtype, {c.lines.outer, c.k, c.lines.inner}, 3);
      EXPECT_EQ(difference(evaluated(scatter_node(c, node_of(x), node_of(index), node_of(values))),
                           plain_scatter(c, x, index, values)),
                "")
          << name_of(dtype) << " " << shape_text(c.lines.shape()) << " " << c.k;
    }
  }
}

TEST(Scatter, InPassesWhereIndicesJumpAbout) {
  const TemporaryDirectory directory;
  const EnvSetting scratch("PENSTOCK_SCRATCH", directory.path(""));
  for (const Choice& c : {Choice{{1, 900'000, 1}, 1, 800'000}, Choice{{2, 150'000, 3}, 2, 200'000}}) {
    for (const DType dtype : {DType::k_int16, DType::k_complex64}) {
      const Plain x = random_plain(dtype, c.lines.shape(), 1);
      const Plain index = indices_below(c.lines.n, {c.index_rows, c.k}, 2);
      const Plain values = random_plain(dtype, {c.lines.outer, c.k, c.lines.inner}, 3);
      const graph::NodeRef node = scatter_node(c, file_node(directory.put("x.npy", npy_text(x))),
                                               file_node(directory.put("i.npy", npy_text(index))),
                                               file_node(directory.put("v.npy", npy_text(values))));
      EXPECT_EQ(difference(within(3 << 19, node, directory), plain_scatter(c, x, index, values)), "")
          << name_of(dtype) << " " << shape_text(c.lines.shape());
    }
  }
}

TEST(Scatter, IntoAFileWithinABudget) {
  const TemporaryDirectory directory;
  const Choice c{{1, 2'000'000, 1}, 1, 300'000};
  const Plain x = random_plain(DType::k_float32, c.lines.shape(), 1);
  const Plain index = indices_below(c.lines.n, {1, c.k}, 2);
  const Plain values = random_plain(DType::k_float32, {1, c.k, 1}, 3);
  const graph::NodeRef node = scatter_node(c, file_node(directory.put("x.npy", npy_text(x))), node_of(index),
                                           file_node(directory.put("v.npy", npy_text(values))));
  {
    const BudgetSetting budget(memory::Governor::instance().used() + (2 << 20));
    const Request request = request_to_file(node, directory.path("out.npy"));
    evaluate({request});
    request.destination.sink->commit();
  }
  EXPECT_EQ(difference(evaluated(file_node(directory.path("out.npy"))), plain_scatter(c, x, index, values)), "");
}

TEST(Nonzero, FindsEachPlace) {
  for (const std::int64_t n : {0, 1, 7, 8, 9, 16, 1'003}) {
    for (const std::int64_t stride : {1, 3}) {
      std::vector<std::byte> x(static_cast<std::size_t>(n * stride));
      std::vector<std::int64_t> wanted;
      for (std::int64_t i = 0; i < n; ++i) {
        if (i * 7919 % 13 < 5) continue;
        x[static_cast<std::size_t>(i * stride)] = static_cast<std::byte>(i % 3 == 0 ? 0x80 : i % 3);
        wanted.push_back(100 + i);
      }
      std::vector<std::int64_t> found(wanted.size());
      const std::int64_t* const end = found.data() + found.size();
      EXPECT_EQ(nonzero(x.data(), stride, n, 100, found.data(), end), end);
      EXPECT_EQ(found, wanted);
      if (wanted.empty()) continue;
      // There is no more room than this.
      EXPECT_EQ(nonzero(x.data(), stride, n, 100, found.data(), end - 1), end - 1);
    }
  }
}

}  // namespace
}  // namespace penstock::run
