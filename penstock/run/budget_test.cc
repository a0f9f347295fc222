// SPDX-License-Identifier: Apache-2.0
// What a plan says fits the budget does fit it: no evaluation that was let in meets the end of the budget half-way.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/temporary_directory.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

graph::NodeRef sum_of(const graph::NodeRef& x, int axis) {
  return graph::make_reduce(Reduction::k_sum, x, {axis}, false);
}

/// Evaluates on budgets from `least` on; `make` gives fresh requests. Returns how many of them had room.
template <class Make>
int fitting(std::int64_t least, std::int64_t most, std::int64_t step, const Make& make) {
  int fits = 0;
  for (std::int64_t bytes = least; bytes < most; bytes += step) {
    const BudgetSetting budget(memory::Governor::instance().used() + bytes);
    const std::vector<Request> requests = make();
    if (!explain(requests).fits) continue;
    ++fits;
    EXPECT_NO_THROW(evaluate(requests)) << "with a budget of " << bytes << " bytes";
  }
  return fits;
}

TEST(Budget, ManySmallFilesAreChargedAlignedBuffers) {
  const TemporaryDirectory directory;
  std::vector<std::string> paths;
  for (int i = 0; i < 8; ++i)
    paths.push_back(directory.put(cat(i, ".npy"), npy_text(Plain(DType::k_float32, {500, 200}))));
  const EnvSetting direct("PENSTOCK_IO", "direct");
  const EnvSetting tiles("PENSTOCK_DEBUG_OUTER", "1");
  const int fits = fitting(128 << 10, 5 << 20, 128 << 10, [&] {
    graph::NodeRef total = file_node(paths[0]);
    for (std::size_t i = 1; i < paths.size(); ++i)
      total = graph::make_elementwise(Op::k_add, {total, file_node(paths[i])});
    return std::vector<Request>{request_of(sum_of(total, 1))};
  });
  EXPECT_GT(fits, 0);
}

// Every other sum of the leading axis waits for its second half: 40,000 of them at once.
TEST(Budget, ReductionsUnderWayAreCharged) {
  const TemporaryDirectory directory;
  const std::string path = directory.put("x.npy", npy_text(Plain(DType::k_float32, {2, 40000, 64})));
  const EnvSetting io("PENSTOCK_IO", "direct");
  const int fits = fitting(1 << 20, 16 << 20, 1 << 20, [&] {
    const graph::NodeRef sum = graph::make_reduce(Reduction::k_sum, file_node(path), {0, 2}, false);
    return std::vector<Request>{request_of(sum)};
  });
  EXPECT_GT(fits, 0);
}

// Rows of 2.1 MiB: just above a huge page, so that each buffer takes two of them.
TEST(Budget, OutputsOfAPassAreChargedOneByOne) {
  const TemporaryDirectory directory;
  const std::string path = directory.put("x.npy", npy_text(Plain(DType::k_float32, {6, 560000})));
  const EnvSetting io("PENSTOCK_IO", "direct");
  const int fits = fitting(4 << 20, 48 << 20, 2 << 20, [&] {
    const graph::NodeRef x = file_node(path);
    return std::vector<Request>{
        request_to_file(graph::make_elementwise(Op::k_add, {x, x}), directory.path("twice.npy")),
        request_to_file(graph::make_elementwise(Op::k_multiply, {x, x}), directory.path("square.npy")),
        request_of(sum_of(x, 1))};
  });
  EXPECT_GT(fits, 0);
}

// The least tile of a column spans thousands of rows.
TEST(Budget, AColumnOfAFileIsMappedWhereItsTilesHaveNoRoom) {
  const TemporaryDirectory directory;
  const Plain table = numbers(DType::k_float32, {5000, 500});
  const std::string path = directory.put("x.npy", npy_text(table));
  const EnvSetting io("PENSTOCK_IO", "direct");
  const BudgetSetting budget(memory::Governor::instance().used() + (2 << 20));
  Index column;
  column.type = Index::Type::kInteger;
  column.start = 7;
  const graph::NodeRef node = graph::make_view(file_node(path), {graph::View::Type::kIndex, {Index{}, column}, {}, {}});
  evaluate({request_of(node)});
  const Plain expected = plain::index(table, {Index{}, column});
  const auto* found = node->as<graph::InMemory>();
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(difference(plain_in(found->memory->data(), found->layout, node->dtype), expected), "");
}

}  // namespace
}  // namespace penstock::run
