// SPDX-License-Identifier: Apache-2.0
// Files whose elements lie turned against the walk: the same elements, and the same bits, as of a file in C order.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "penstock/base/temporary_directory.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

Plain random_plain(DType dtype, const Dims& shape) {
  Plain values(dtype, shape);
  std::uint64_t state = 88172645463325252u;
  for (std::int64_t i = 0; i < values.size(); ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const double x = static_cast<double>(state % 20001) / 7.0 - 1000.0;
    visit(dtype, [&]<class T>() {
      if constexpr (!std::is_same_v<T, Half>) {
        T value{};
        if constexpr (kind_of(kDTypeOf<T>) == Kind::kComplex) {
          value = T(static_cast<float>(x));
        } else {
          value = static_cast<T>(x);
        }
        std::memcpy(values.at(i), &value, sizeof value);
      }
    });
  }
  return values;
}

/// The values behind views of a file that holds them with axis order[0] outermost, order[1] next ...
graph::NodeRef turned_file(const TemporaryDirectory& directory, const Plain& values, const std::vector<int>& order) {
  static int number = 0;
  const Plain turned = plain::permute(values, order);
  std::vector<int> back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) back[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  const std::string path = directory.put(cat("turned", ++number, ".npy"), npy_text(turned));
  return graph::make_view(file_node(path), {graph::View::Type::kPermute, {}, back, {}});
}

bool is_turned(const graph::NodeRef& node, bool to_file = true) {
  Request request = request_of(node);
  if (to_file) request.destination.kind = Destination::Kind::kAbstract;
  for (const PlanReport::Pass& pass : explain({request}).passes) {
    for (const std::string& read : pass.reads) {
      if (read.find("transposed by tiles") != std::string::npos) return true;
    }
  }
  return false;
}

/// Outer tiles of the pass that reads turned files.
std::int64_t turned_tiles(const graph::NodeRef& node, bool to_file) {
  Request request = request_of(node);
  if (to_file) request.destination.kind = Destination::Kind::kAbstract;
  std::int64_t tiles = 0;
  for (const PlanReport::Pass& pass : explain({request}).passes) {
    for (const std::string& read : pass.reads) {
      if (read.find("transposed by tiles") != std::string::npos) tiles = (pass.units + pass.step - 1) / pass.step;
    }
  }
  return tiles;
}

/// The node's elements by way of an output file.
Plain saved(const TemporaryDirectory& directory, const graph::NodeRef& node) {
  const std::string path = directory.path("out.npy");
  const Request request = request_to_file(node, path);
  evaluate({request});
  request.destination.sink->commit();
  return evaluated(file_node(path));
}

struct Shaped {
  Dims shape;
  std::vector<int> order;  // of the file
};

std::vector<Shaped> shapes() {
  return {
      {{97, 131}, {1, 0}},       {{1, 700, 513}, {2, 1, 0}},     {{64, 1024}, {1, 0}},
      {{13, 17, 70}, {2, 1, 0}}, {{31, 45, 3}, {1, 0, 2}},       {{7, 90, 66}, {0, 2, 1}},
      {{66, 5, 67}, {2, 0, 1}},  {{40, 9, 33, 2}, {2, 1, 0, 3}}, {{300, 65}, {1, 0}},
  };
}

TEST(Turned, FilesAreStoredInCOrder) {
  const TemporaryDirectory directory;
  for (const DType dtype : {DType::k_uint8, DType::k_int16, DType::k_float32, DType::k_float64, DType::k_complex128}) {
    for (const Shaped& each : shapes()) {
      const Plain values = random_plain(dtype, each.shape);
      for (const char* outer : {"1", "3000", "100000"}) {
        const EnvSetting setting("PENSTOCK_DEBUG_OUTER", outer);
        const graph::NodeRef node = turned_file(directory, values, each.order);
        // Tiles of a store are whole pages of elements, at least.
        if (is_turned(node) && values.size() > 4096 && std::string(outer) == "1") {
          EXPECT_GT(turned_tiles(node, true), 1) << name_of(dtype) << " " << shape_text(each.shape);
        }
        EXPECT_EQ(difference(saved(directory, node), values), "")
            << name_of(dtype) << " " << shape_text(each.shape) << " tiles of " << outer;
      }
    }
  }
}

TEST(Turned, ReductionsHaveTheBitsOfCOrder) {
  const TemporaryDirectory directory;
  bool many = false;  // tiles, in at least one of the reductions
  for (const Shaped& each : shapes()) {
    const Plain values = random_plain(DType::k_float32, each.shape);
    std::vector<std::vector<int>> all_axes;
    std::vector<int> every(each.shape.size());
    std::iota(every.begin(), every.end(), 0);
    all_axes.push_back(every);
    for (const int axis : every) all_axes.push_back({axis});
    for (const std::vector<int>& axes : all_axes) {
      const auto sum_of = [&](const graph::NodeRef& node) {
        return graph::make_reduce(Reduction::k_sum, node, axes, false);
      };
      const Plain expected = evaluated(sum_of(node_of(values)));
      for (const char* outer : {"1", "5000", "70000"}) {
        const EnvSetting setting("PENSTOCK_DEBUG_OUTER", outer);
        for (const int threads : {1, 2}) {
          const ThreadSetting setting_of_threads(threads);
          const graph::NodeRef node = sum_of(turned_file(directory, values, each.order));
          many = many || turned_tiles(node, false) > 1;
          EXPECT_EQ(difference(evaluated(node), expected), "")
              << shape_text(each.shape) << ", " << axes.size() << " axes from " << axes[0] << ", tiles of " << outer;
        }
      }
    }
  }
  EXPECT_TRUE(many);
}

TEST(Turned, RowsKeepTheirPlacesInCacheLines) {
  // Rows of 12,004 bytes: padded.
  const auto how = turning_of({{500, 3001}, {4, 2000}, 0}, 4, 0);
  ASSERT_TRUE(how.has_value());
  EXPECT_EQ(how->row_bytes % 64, 0);
  for (const std::int64_t first : {1, 17, 2999, 3001, 40000}) {
    const std::int64_t next_row = (first / 3001 + 1) * 3001;
    EXPECT_EQ((how->offset(next_row) - how->start(first)) % 64, 0) << first;
    EXPECT_LE(how->start(first), how->offset(first)) << first;
    EXPECT_EQ(how->bytes({first, next_row + 1}), how->offset(next_row) + 4 - how->start(first)) << first;
  }
}

TEST(Turned, FlipsStepsAndByteOrderAreSeenThrough) {
  const TemporaryDirectory directory;
  const EnvSetting setting("PENSTOCK_DEBUG_OUTER", "9000");
  const Plain values = random_plain(DType::k_float32, {97, 131});
  const std::vector<Index> steps{{Index::Type::kSlice, 90, 3, -2, true}, {Index::Type::kSlice, 5, 130, 3, true}};
  const graph::View views[] = {{graph::View::Type::kIndex, steps, {}, {}}, {graph::View::Type::kFlip, {}, {0, 1}, {}}};
  for (const graph::View& view : views) {
    const graph::NodeRef node = graph::make_view(turned_file(directory, values, {1, 0}), view);
    EXPECT_TRUE(is_turned(node));
    EXPECT_EQ(difference(saved(directory, node), evaluated(graph::make_view(node_of(values), view))), "");
  }
}

TEST(Turned, BigEndianFilesToo) {
  const TemporaryDirectory directory;
  const EnvSetting setting("PENSTOCK_DEBUG_OUTER", "9000");
  const Plain values = random_plain(DType::k_float32, {97, 131});
  const Plain turned = plain::permute(values, {1, 0});
  std::string bytes(reinterpret_cast<const char*>(turned.bytes.data()), turned.bytes.size());
  for (std::size_t i = 0; i < bytes.size(); i += 4) std::reverse(bytes.begin() + i, bytes.begin() + i + 4);
  const graph::NodeRef file =
      graph::make_file(store::open_raw(directory.put("x.raw", bytes), DType::k_float32, Dims{131, 97}, 0, true));
  const graph::NodeRef node = graph::make_view(file, {graph::View::Type::kPermute, {}, {1, 0}, {}});
  EXPECT_TRUE(is_turned(node));
  EXPECT_EQ(difference(saved(directory, node), values), "");
}

TEST(Turned, OnlyWhatLiesFarApartIsTurned) {
  const TemporaryDirectory directory;
  const EnvSetting setting("PENSTOCK_DEBUG_OUTER", "9000");
  const Plain values = random_plain(DType::k_float32, {97, 131});
  EXPECT_TRUE(is_turned(turned_file(directory, values, {1, 0})));
  EXPECT_FALSE(is_turned(turned_file(directory, values, {0, 1})));
  // Held in memory, a result takes the order of its operand.
  EXPECT_FALSE(is_turned(turned_file(directory, values, {1, 0}), false));
  // Whole rows of the walk lie together.
  const Plain rows = random_plain(DType::k_float32, {9, 8, 400});
  EXPECT_FALSE(is_turned(turned_file(directory, rows, {1, 0, 2})));
}

TEST(Turned, SmallFilesAreReadWhereTheyLie) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(is_turned(turned_file(directory, random_plain(DType::k_float32, {97, 131}), {1, 0})));
  EXPECT_TRUE(is_turned(turned_file(directory, random_plain(DType::k_float32, {3001, 1733}), {1, 0})));
}

}  // namespace
}  // namespace penstock::run
