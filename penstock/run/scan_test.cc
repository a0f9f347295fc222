// SPDX-License-Identifier: Apache-2.0
// Cumulative sums and products against plain loops with the same association; layouts, pieces and threads change no
// bit.
#include <gtest/gtest.h>

#include <complex>
#include <limits>

#include "penstock/base/temporary_directory.h"
#include "penstock/memory/governor.h"
#include "penstock/run/scan.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

using kernel::kScanRun;

graph::NodeRef scan_node(Cumulative what, const graph::NodeRef& x, const Lines& lines) {
  return graph::make_operator(x->dtype, lines.shape(), make_scan(what, x->dtype, lines), {x});
}

template <class T>
T combined(Cumulative what, T a, T b) {
  if (what == Cumulative::kSum) return static_cast<T>(a + b);
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  else
    return static_cast<T>(a * b);
}

/// From the words of kernel/scan.h.
template <class T>
Plain plain_scan(Cumulative what, const Plain& x, const Lines& lines) {
  Plain out(x.dtype, x.shape);
  for (std::int64_t o = 0; o < lines.outer; ++o) {
    for (std::int64_t i = 0; i < lines.inner; ++i) {
      T carry{};
      T local{};
      for (std::int64_t j = 0; j < lines.n; ++j) {
        const auto at = static_cast<std::size_t>((o * lines.n + j) * lines.inner + i);
        const T value = x.as<T>()[at];
        const bool begins = what == Cumulative::kSum ? j % kScanRun == 0 : j == 0;
        if (begins && j > 0) carry = j == kScanRun ? local : combined(what, carry, local);
        local = begins ? value : combined(what, local, value);
        out.as<T>()[at] = what == Cumulative::kSum && j >= kScanRun ? combined(what, carry, local) : local;
      }
    }
  }
  return out;
}

Plain plain_scan_of(Cumulative what, const Plain& x, const Lines& lines) {
  return visit(x.dtype, [&]<class T>() -> Plain {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
      return plain_scan<std::make_unsigned_t<T>>(what, x, lines);
    else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double> ||
                       std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>)
      return plain_scan<T>(what, x, lines);
    else
      return x;
  });
}

/// Numbers near 1, so that products stay numbers.
Plain near_one(DType dtype, const Dims& shape) {
  Plain x(dtype, shape);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    visit(dtype, [&]<class T>() {
      if constexpr (std::is_floating_point_v<T>)
        x.as<T>()[i] = static_cast<T>(1 + 0.01 * static_cast<double>((i * 7919) % 101 - 50));
      else if constexpr (std::is_integral_v<T>)
        x.as<T>()[i] = static_cast<T>(1 + i * 7919 % 101);
      else if constexpr (!std::is_same_v<T, Half>)
        x.as<T>()[i] = {static_cast<typename T::value_type>(0.01 * static_cast<double>((i * 7919) % 101)),
                        static_cast<typename T::value_type>(0.01 * static_cast<double>(i % 97))};
    });
  }
  return x;
}

const Lines kLines[] = {{1, 0, 1},
                        {1, 1, 1},
                        {1, kScanRun - 1, 1},
                        {1, kScanRun, 1},
                        {1, kScanRun + 1, 1},
                        {1, 8 * kScanRun, 1},
                        {1, 40 * kScanRun + 7, 1},
                        {3, 2 * kScanRun + 5, 1},
                        {500, 7, 1},
                        {2, 2 * kScanRun + 3, 3},
                        {1, kScanRun + 9, 520},
                        {0, 5, 2},
                        {2, 5, 0}};

TEST(Scan, EachDtypeAndShape) {
  for (const Cumulative what : {Cumulative::kSum, Cumulative::kProduct}) {
    for (int t = 0; t < kDTypeCount; ++t) {
      const auto dtype = static_cast<DType>(t);
      if (!can_scan(dtype)) continue;
      for (const Lines& lines : kLines) {
        const Plain x = near_one(dtype, lines.shape());
        const Plain got = evaluated(scan_node(what, node_of(x), lines));
        EXPECT_EQ(difference(got, plain_scan_of(what, x, lines)), "")
            << name_of(dtype) << " " << shape_text(lines.shape()) << " " << static_cast<int>(what);
      }
    }
  }
}

TEST(Scan, OfNegativeZerosAndWhatIsNoNumber) {
  const Plain zeros = plain_of<float>({1, 3, 1}, {-0.0F, -0.0F, 0.0F});
  EXPECT_EQ(difference(evaluated(scan_node(Cumulative::kSum, node_of(zeros), {1, 3, 1})), zeros), "");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Plain x = plain_of<float>({1, 4, 1}, {1, nan, 2, std::numeric_limits<float>::infinity()});
  const Plain sums = plain_of<float>({1, 4, 1}, {1, nan, nan, nan});
  EXPECT_EQ(difference(evaluated(scan_node(Cumulative::kSum, node_of(x), {1, 4, 1})), sums), "");
}

TEST(Scan, ThreadsAndLayoutsChangeNoBit) {
  const Lines line{1, 100 * kScanRun + 17, 1};
  const Plain x = near_one(DType::k_float32, line.shape());
  const Plain wanted = plain_scan_of(Cumulative::kSum, x, line);
  for (const int threads : {1, 2, 3, 8}) {
    const ThreadSetting setting(threads);
    EXPECT_EQ(difference(evaluated(scan_node(Cumulative::kSum, node_of(x), line)), wanted), "") << threads;
  }
  const Lines table{1, 600, 40};
  const Plain y = near_one(DType::k_float64, table.shape());
  EXPECT_EQ(difference(evaluated(scan_node(Cumulative::kSum, transposed_node_of(y), table)),
                       plain_scan_of(Cumulative::kSum, y, table)),
            "");
}

TEST(Scan, InPiecesOfFilesWithinABudget) {
  const TemporaryDirectory directory;
  for (const Lines& lines : {Lines{1, 700'011, 1}, Lines{2, 1'100, 300}, Lines{300, 1'000, 1}}) {
    for (const Cumulative what : {Cumulative::kSum, Cumulative::kProduct}) {
      const Plain x = near_one(DType::k_float32, lines.shape());
      const std::string path = directory.put("x.npy", npy_text(x));
      const graph::NodeRef node = scan_node(what, file_node(path), lines);
      {
        const BudgetSetting budget(memory::Governor::instance().used() + (1 << 20));
        const Request request = request_to_file(node, directory.path("out.npy"));
        evaluate({request});
        request.destination.sink->commit();
      }
      EXPECT_EQ(difference(evaluated(file_node(directory.path("out.npy"))), plain_scan_of(what, x, lines)), "")
          << shape_text(lines.shape());
    }
  }
}

TEST(Scan, WhatMemoryHasNoRoomForGoesThroughAScratchFile) {
  const TemporaryDirectory directory;
  const EnvSetting scratch("PENSTOCK_SCRATCH", directory.path(""));
  const Lines lines{1, 600'011, 1};
  const Plain x = near_one(DType::k_float32, lines.shape());
  const graph::NodeRef scan = scan_node(Cumulative::kSum, file_node(directory.put("x.npy", npy_text(x))), lines);
  const graph::NodeRef flat = graph::make_view(scan, {graph::View::Type::kReshape, {}, {}, {lines.n}});
  Plain wanted = plain_scan_of(Cumulative::kSum, x, lines);
  wanted.shape = {lines.n};
  {
    const BudgetSetting budget(memory::Governor::instance().used() + (1 << 20));
    // Reshaped it goes straight to its file; with more to compute it waits on disk; to be held it needs memory.
    for (const graph::NodeRef& node : {flat, graph::make_elementwise(Op::k_negative, {flat})}) {
      const Request request = request_to_file(node, directory.path(node == flat ? "flat.npy" : "negative.npy"));
      evaluate({request});
      request.destination.sink->commit();
    }
    EXPECT_THROW(evaluated(scan_node(Cumulative::kSum, scan, lines)), BudgetError);
  }
  EXPECT_EQ(difference(evaluated(file_node(directory.path("flat.npy"))), wanted), "");
  EXPECT_EQ(
      difference(evaluated(file_node(directory.path("negative.npy"))), plain::elementwise(Op::k_negative, {wanted})),
      "");
}

TEST(Scan, AStopEndsAllThreads) {
  const ThreadSetting two(2);
  const Lines line{1, 20'000'000, 1};
  Options options;
  options.poll = [](const Progress&) { throw std::runtime_error("enough"); };
  graph::NodeRef x = graph::make_iota(graph::Scalar::of(0.0), graph::Scalar::of(1.0), line.shape());
  EXPECT_THROW(evaluated(scan_node(Cumulative::kSum, x, line), options), std::runtime_error);
}

}  // namespace
}  // namespace penstock::run
