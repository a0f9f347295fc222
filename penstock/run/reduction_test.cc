// SPDX-License-Identifier: Apache-2.0
// The reduction tree: the same bits for every thread count, tile, source and CPU target, and those of the tree as the
// headers describe it.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "penstock/base/temporary_directory.h"
#include "penstock/run/plain_reduce.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

struct Case {
  Dims shape;
  std::vector<int> axes;
};

std::string text_of(const Case& c) {
  std::string axes;
  for (const int axis : c.axes) axes += cat(axes.empty() ? "" : ",", axis);
  return cat("shape ", shape_text(c.shape), " axes ", axes);
}

/// Every kind of geometry at its borders.
std::vector<Case> cases() {
  std::vector<Case> all;
  // rows: everything, at the borders of lanes and leaves
  for (const std::int64_t n : {1, 31, 32, 33, 63, 64, 65, 127, 511, 512, 513, 1023, 1024, 1025, 5003})
    all.push_back({{n}, {0}});
  // rows: one core an output, and short ones
  for (const std::int64_t n : {63, 64, 65, 1025}) all.push_back({{5, n}, {1}});
  // narrow: kept inside
  for (const std::int64_t m : {2, 7, 31, 63}) all.push_back({{1025, m}, {0}});
  // columns
  for (const std::int64_t m : {64, 65, 513, 1031}) all.push_back({{67, m}, {0}});
  for (const std::int64_t n : {31, 32, 33, 65}) all.push_back({{n, 130}, {0}});
  // a short innermost run, walked outside: split_kept narrow and columns
  for (const std::int64_t n : {2, 31, 63}) all.push_back({{11, n}, {1}});
  for (const std::int64_t n : {3, 33, 63}) all.push_back({{150, n}, {1}});
  // the same inside a reduced axis: turned, but not to the front
  all.push_back({{9, 13, 7}, {0, 2}});
  all.push_back({{9, 130, 5}, {0, 2}});
  all.push_back({{3, 4, 13, 7}, {1, 3}});
  all.push_back({{3, 40, 100, 3}, {1, 3}});
  // outer mixes
  all.push_back({{5, 3, 130}, {0, 2}});
  all.push_back({{5, 3, 7, 70}, {0, 2}});
  all.push_back({{7, 5, 70, 6}, {0, 2}});
  all.push_back({{3, 67, 70}, {1}});
  all.push_back({{3, 67, 7}, {1}});
  all.push_back({{40, 3, 67, 70}, {0, 2}});
  // extents of 1 have no place
  all.push_back({{1, 65, 1, 3, 1}, {1, 2}});
  all.push_back({{70, 1, 33}, {0, 1}});
  all.push_back({{5, 70}, {}});
  return all;
}

bool takes(Reduction reduction, DType dtype, const Case& c) {
  const bool index = row(reduction).accumulator == Accumulator::kIndex;
  if (index && c.axes.size() != 1 && c.axes.size() != c.shape.size()) return false;
  if (kind_of(dtype) != Kind::kComplex) return true;
  return reduction == Reduction::k_sum || reduction == Reduction::k_prod;
}

/// Values whose sums and products stay finite, with a NaN and infinities now and then.
Plain values_for(DType dtype, const Dims& shape, std::uint64_t seed, bool special) {
  if (special) return random_plain(dtype, shape, seed);
  Plain p(dtype, shape);
  std::mt19937_64 random(seed);
  const auto real = [&] { return static_cast<double>(random() >> 11) * 0x1p-53 * 1.5 - 0.5; };
  visit(dtype, [&]<class T>() {
    for (std::int64_t i = 0; i < p.size(); ++i) {
      if constexpr (std::is_same_v<T, Half>)
        p.as<T>()[i] = Half{static_cast<std::uint16_t>(random() & 0x3fff)};
      else if constexpr (std::is_same_v<T, bool>)
        p.as<T>()[i] = random() % 2 == 0;
      else if constexpr (std::is_integral_v<T>)
        p.as<T>()[i] = static_cast<T>(random());
      else if constexpr (std::is_floating_point_v<T>)
        p.as<T>()[i] = static_cast<T>(real());
      else
        p.as<T>()[i] = T(static_cast<typename T::value_type>(real()), static_cast<typename T::value_type>(real()));
    }
  });
  return p;
}

template <class F>
void for_all(const F& f) {
  std::uint64_t seed = 1;
  for (int r = 0; r < kReductionCount; ++r) {
    for (int d = 0; d < kDTypeCount; ++d) {
      const auto reduction = static_cast<Reduction>(r);
      const auto dtype = static_cast<DType>(d);
      if (dtype == DType::k_float16) continue;
      for (const Case& c : cases()) {
        if (takes(reduction, dtype, c)) f(reduction, dtype, c, ++seed);
      }
    }
  }
}

Plain reduced(Reduction reduction, const graph::NodeRef& x, const std::vector<int>& axes) {
  return evaluated(graph::make_reduce(reduction, x, axes, false));
}

TEST(ReductionTree, IsTheOneOfTheHeaders) {
  for_all([](Reduction reduction, DType dtype, const Case& c, std::uint64_t seed) {
    const Plain x = values_for(dtype, c.shape, seed, seed % 3 == 0);
    EXPECT_EQ(difference(reduced(reduction, node_of(x), c.axes), plain::reduce(reduction, x, c.axes, false)), "")
        << row(reduction).name << " " << name_of(dtype) << " " << text_of(c);
  });
}

/// Settings that must not change a bit.
struct Setting {
  int threads;
  const char* tile;
  const char* outer;
  const char* io;
};
constexpr Setting kSettings[] = {
    {1, "1", "1", "mmap"},       {2, "7", "600", "pread"},    {7, "64", "20000", "direct"}, {7, "512", "1", "pread"},
    {2, "1", "20000", "direct"}, {1, "512", "4096", "pread"}, {2, "64", "100", "mmap"},
};

TEST(ReductionTree, KnowsNoThreadsTilesSourcesAndTargets) {
  const TemporaryDirectory directory;
  const std::vector<simd::Target>& targets = simd::targets();
  for_all([&](Reduction reduction, DType dtype, const Case& c, std::uint64_t seed) {
    const Plain x = values_for(dtype, c.shape, seed, seed % 3 == 0);
    const Plain expected = reduced(reduction, node_of(x), c.axes);
    const Setting& s = kSettings[seed % std::size(kSettings)];
    const ThreadSetting threads(s.threads);
    const TargetSetting target(targets[seed % targets.size()]);
    const EnvSetting tile("PENSTOCK_DEBUG_TILE", s.tile);
    const EnvSetting outer("PENSTOCK_DEBUG_OUTER", s.outer);
    const EnvSetting io("PENSTOCK_IO", s.io);
    const auto where = [&] {
      return cat(row(reduction).name, " ", name_of(dtype), " ", text_of(c), " threads ", s.threads, " tile ", s.tile,
                 " outer ", s.outer, " io ", s.io, " ", simd::target_name(simd::target()));
    };
    EXPECT_EQ(difference(reduced(reduction, node_of(x), c.axes), expected), "") << where();
    EXPECT_EQ(difference(reduced(reduction, transposed_node_of(x), c.axes), expected), "") << "transposed " << where();
    const std::string path = directory.put("x.npy", npy_text(x));
    EXPECT_EQ(difference(reduced(reduction, file_node(path), c.axes), expected), "") << "file " << where();
  });
}

TEST(ReductionTree, TurnedAxesOfAFileInPieces) {
  // A piece of the walk within one step of the first axis needs bytes all over that step.
  const TemporaryDirectory directory;
  const ThreadSetting threads(2);
  const EnvSetting io("PENSTOCK_IO", "pread");
  const EnvSetting outer("PENSTOCK_DEBUG_OUTER", "1");
  for (const Dims& shape : {Dims{200, 700, 3}, Dims{2, 5000, 33}}) {
    const Plain x = values_for(DType::k_float32, shape, 5, false);
    const std::string path = directory.put("x.npy", npy_text(x));
    for (const Reduction reduction : {Reduction::k_sum, Reduction::k_moments}) {
      EXPECT_EQ(difference(reduced(reduction, file_node(path), {0, 2}), plain::reduce(reduction, x, {0, 2}, false)), "")
          << row(reduction).name << " " << shape_text(shape);
    }
  }
}

TEST(ReductionTree, SeveralOverOneSourceInOnePass) {
  const ThreadSetting threads(2);
  const EnvSetting outer("PENSTOCK_DEBUG_OUTER", "3000");
  for (const Case& c : cases()) {
    const Plain x = values_for(DType::k_float64, c.shape, 11, false);
    const graph::NodeRef leaf = node_of(x);
    std::vector<int> all;
    for (std::size_t d = 0; d < c.shape.size(); ++d) all.push_back(static_cast<int>(d));
    const std::vector<std::pair<Reduction, std::vector<int>>> asked = {{Reduction::k_sum, c.axes},
                                                                       {Reduction::k_moments, c.axes},
                                                                       {Reduction::k_sum, all},
                                                                       {Reduction::k_max, {}},
                                                                       {Reduction::k_min, c.axes}};
    std::vector<Request> requests;
    for (const auto& [reduction, axes] : asked)
      requests.push_back(request_of(graph::make_reduce(reduction, leaf, axes, false)));
    requests.push_back(request_of(graph::make_elementwise(Op::k_negative, {leaf})));
    evaluate(requests);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      EXPECT_EQ(difference(values_of(requests[i].node), plain::reduce(asked[i].first, x, asked[i].second, false)), "")
          << row(asked[i].first).name << " " << text_of(c);
    }
    EXPECT_EQ(difference(values_of(requests.back().node), plain::elementwise(Op::k_negative, {x})), "") << text_of(c);
  }
}

}  // namespace
}  // namespace penstock::run
