// SPDX-License-Identifier: Apache-2.0
// Intermediates beyond the budget: computed by way of scratch files, planned before, nothing left behind.
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "penstock/base/file_faults.h"
#include "penstock/base/temporary_directory.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kBudget = 6 << 20;

Plain numbers(const Dims& shape) {
  Plain values(DType::k_float32, shape);
  for (std::int64_t i = 0; i < values.size(); ++i) {
    const float x = static_cast<float>(i * 7919 % 10007) / 16.0f;
    std::memcpy(values.at(i), &x, sizeof x);
  }
  return values;
}

graph::NodeRef reshaped(const graph::NodeRef& node, Dims shape) {
  return graph::make_view(node, {graph::View::Type::kReshape, {}, {}, std::move(shape)});
}
graph::NodeRef transposed(const graph::NodeRef& node) {
  return graph::make_view(node, {graph::View::Type::kPermute, {}, {1, 0}, {}});
}
graph::NodeRef doubled(const graph::NodeRef& node) { return graph::make_elementwise(Op::k_add, {node, node}); }

/// Expressions with an intermediate of some 8 MiB, over a file of the values.
struct Case {
  const char* name;
  graph::NodeRef (*of)(const graph::NodeRef&);
  Dims shape;
};

const Case kCases[] = {
    // A reshape that strides can't express has its input laid out.
    {"transpose, then flatten",
     [](const graph::NodeRef& x) { return doubled(reshaped(transposed(x), {x->size()})); },
     {1501, 1403}},
    // Many results, stored as they come.
    {"pair sums",
     [](const graph::NodeRef& x) { return graph::make_reduce(Reduction::k_sum, x, {1}, false); },
     {2100000, 2}},
    {"sums in the middle",
     [](const graph::NodeRef& x) { return doubled(graph::make_reduce(Reduction::k_sum, x, {1}, false)); },
     {2000, 3, 1100}},
    {"two waves",
     [](const graph::NodeRef& x) {
       const graph::NodeRef sums = graph::make_reduce(Reduction::k_max, x, {2}, true);
       return graph::make_elementwise(Op::k_subtract, {x, sums});
     },
     {1100, 2000, 2}},
};

TEST(Spill, ResultsAreThoseOfEnoughMemory) {
  const TemporaryDirectory directory;
  for (const Case& each : kCases) {
    const std::string source = directory.put("x.npy", npy_text(numbers(each.shape)));
    const Plain expected = evaluated(each.of(file_node(source)));
    for (const char* io : {"auto", "direct", "pread", "mmap"}) {
      const EnvSetting setting("PENSTOCK_IO", io);
      const std::string path = directory.path("out.npy");
      {
        const BudgetSetting budget(memory::Governor::instance().used() + kBudget);
        const graph::NodeRef node = each.of(file_node(source));
        const Request request = request_to_file(node, path);
        EXPECT_GT(explain({request}).scratch_bytes, 0) << each.name;
        evaluate({request});
        request.destination.sink->commit();
      }
      EXPECT_EQ(difference(evaluated(file_node(path)), expected), "") << each.name << ", " << io;
    }
  }
}

// As random graphs are: a few thousand elements.
TEST(Spill, TestsOfTilingSpillSmallResults) {
  const TemporaryDirectory directory;
  const std::string source = directory.put("x.npy", npy_text(numbers({61, 53})));
  const EnvSetting setting("PENSTOCK_DEBUG_OUTER", "1");
  const BudgetSetting budget(memory::Governor::instance().used() + 10'000);
  const graph::NodeRef node = kCases[0].of(file_node(source));
  EXPECT_EQ(explain({request_to_file(node, directory.path("out.npy"))}).scratch_bytes, node->bytes());
}

TEST(Spill, PlanNamesTheDirectoryAndMakesNothing) {
  const TemporaryDirectory directory;
  const TemporaryDirectory scratch;
  const std::string source = directory.put("x.npy", npy_text(numbers(kCases[0].shape)));
  const BudgetSetting budget(memory::Governor::instance().used() + kBudget);
  const graph::NodeRef node = kCases[0].of(file_node(source));
  Request request = request_of(node);
  request.destination.kind = Destination::Kind::kAbstract;
  request.destination.path = directory.path("out.npy");
  PlanReport report = explain({request});
  EXPECT_EQ(report.scratch_bytes, node->bytes());
  EXPECT_EQ(report.scratch_directory, directory.path());
  EXPECT_TRUE(report.fits);
  EXPECT_LE(report.projected_bytes, kBudget);
  const EnvSetting setting("PENSTOCK_SCRATCH", scratch.path());
  EXPECT_EQ(explain({request}).scratch_directory, scratch.path());
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Spill, WhatFitsStaysInMemory) {
  const TemporaryDirectory directory;
  const std::string source = directory.put("x.npy", npy_text(numbers(kCases[0].shape)));
  const BudgetSetting budget(memory::Governor::instance().used() + (64 << 20));
  EXPECT_EQ(explain({request_to_file(kCases[0].of(file_node(source)), directory.path("out.npy"))}).scratch_bytes, 0);
}

TEST(Spill, ResultsAskedForNeverGoThere) {
  const TemporaryDirectory directory;
  const std::string source = directory.put("x.npy", npy_text(numbers(kCases[0].shape)));
  const BudgetSetting budget(memory::Governor::instance().used() + kBudget);
  const graph::NodeRef node = kCases[0].of(file_node(source));
  EXPECT_FALSE(explain({request_of(node)}).fits);
  EXPECT_THROW(evaluate({request_of(node)}), BudgetError);
}

TEST(Spill, ANodeIsFreeAgainAfterwards) {
  const TemporaryDirectory directory;
  const std::string source = directory.put("x.npy", npy_text(numbers(kCases[1].shape)));
  const graph::NodeRef sums = kCases[1].of(file_node(source));
  const graph::NodeRef node = doubled(sums);
  {
    const BudgetSetting budget(memory::Governor::instance().used() + kBudget);
    const Request request = request_to_file(node, directory.path("out.npy"));
    evaluate({request});
    request.destination.sink->commit();
  }
  EXPECT_EQ(sums->running, 0);
  EXPECT_EQ(difference(evaluated(file_node(directory.path("out.npy"))), evaluated(node)), "");
}

TEST(Spill, AFullDiskIsSaidBeforeTheStart) {
  const TemporaryDirectory directory;
  const std::string source = directory.put("x.npy", npy_text(numbers(kCases[0].shape)));
  const BudgetSetting budget(memory::Governor::instance().used() + kBudget);
  const graph::NodeRef node = kCases[0].of(file_node(source));
  const Request request = request_to_file(node, directory.path("out.npy"));
  const FileFaults faults({1, true, ENOSPC}, &FileCalls::fallocate);
  try {
    evaluate({request});
    FAIL() << "no error";
  } catch (const NoSpaceError& error) {
    EXPECT_NE(std::string(error.what()).find("PENSTOCK_SCRATCH"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(directory.path()), std::string::npos) << error.what();
  }
}

TEST(Spill, AMissingDirectoryIsSaidBeforeTheStart) {
  const TemporaryDirectory directory;
  const std::string source = directory.put("x.npy", npy_text(numbers(kCases[0].shape)));
  const BudgetSetting budget(memory::Governor::instance().used() + kBudget);
  const EnvSetting setting("PENSTOCK_SCRATCH", directory.path("nowhere"));
  const graph::NodeRef node = kCases[0].of(file_node(source));
  EXPECT_THROW(evaluate({request_to_file(node, directory.path("out.npy"))}), FileError);
}

}  // namespace
}  // namespace penstock::run
