// SPDX-License-Identifier: Apache-2.0
// What is destroyed when a node takes its result is destroyed without the graph's lock.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "penstock/graph/operator.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

/// Zeros. Says when it goes whether another thread gets the graph's lock, as one does that has an interpreter's lock.
class Zeros final : public graph::Operator {
 public:
  explicit Zeros(std::atomic<int>& free) : free_(free) {}
  ~Zeros() override {
    std::thread([this] {
      if (const std::unique_lock lock(graph::graph_mutex(), std::try_to_lock); lock) ++free_;
    }).join();
  }

  std::string text() const override { return "zeros"; }
  std::vector<graph::Step> steps(std::int64_t) const override {
    return {{graph::whole({kSize}), {graph::whole({kSize})}, true}};
  }
  std::int64_t scratch_bytes(const graph::Step&, int) const override { return 0; }
  void compute(const graph::Step&, const graph::Leases& leases) const override {
    std::fill_n(reinterpret_cast<double*>(leases.output.data), kSize, 0.0);
  }

  static constexpr std::int64_t kSize = 1000;

 private:
  std::atomic<int>& free_;
};

TEST(Publish, LetsGoOfOperatorsWithoutTheLock) {
  std::atomic<int> free{0};
  const graph::NodeRef input = graph::make_iota(graph::Scalar::of(0.0), graph::Scalar::of(1.0), {Zeros::kSize});
  const graph::NodeRef node =
      graph::make_operator(DType::k_float64, {Zeros::kSize}, std::make_shared<Zeros>(free), {input});
  evaluate({request_of(node)});
  const std::lock_guard lock(graph::graph_mutex());
  EXPECT_TRUE(graph::resident(*node));
  EXPECT_EQ(free, 1);
}

}  // namespace
}  // namespace penstock::run
