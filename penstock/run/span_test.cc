// SPDX-License-Identifier: Apache-2.0
// The spans of evaluations: each step by its name, as often as it happens; their latencies; nothing of what did not
// run.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "penstock/base/temporary_directory.h"
#include "penstock/measure/counters.h"
#include "penstock/measure/latencies.h"
#include "penstock/measure/trace.h"
#include "penstock/memory/governor.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

using Counts = std::map<std::string, std::int64_t>;

/// What happened in a body: spans of the trace and latencies by name, and outer tiles.
struct Seen {
  Counts spans;
  Counts latencies;
  std::int64_t tiles = 0;
  std::string trace;
};

Counts latencies() {
  Counts found;
  for (const auto& [name, counts] : measure::latency_counts()) found[name] = counts.n();
  return found;
}

template <class Body>
Seen seen_in(const Body& body) {
  Seen seen;
  const Counts before = latencies();
  const std::int64_t tiles = measure::value(measure::Counter::k_tiles);
  EXPECT_TRUE(measure::start_trace());
  body();
  seen.trace = measure::stop_trace();
  seen.tiles = measure::value(measure::Counter::k_tiles) - tiles;
  for (const auto& [name, n] : latencies()) {
    if (n > before.at(name)) seen.latencies[name] = n - before.at(name);
  }
  const std::regex name("\"name\": \"(\\w+)\"");
  for (std::sregex_iterator at(seen.trace.begin(), seen.trace.end(), name), end; at != end; ++at)
    ++seen.spans[(*at)[1]];
  EXPECT_NE(seen.trace.find("\"dropped\": 0}"), std::string::npos);
  return seen;
}

graph::NodeRef doubled(const graph::NodeRef& node) { return graph::make_elementwise(Op::k_add, {node, node}); }

TEST(Spans, OfAnEvaluationInMemory) {
  const graph::NodeRef node = doubled(node_of(Plain(DType::k_float32, {100})));
  const Seen first = seen_in([&] { evaluate({request_of(node)}); });
  EXPECT_EQ(first.spans, (Counts{{"evaluate", 1}, {"plan", 1}, {"compute", 1}}));
  EXPECT_EQ(first.latencies, (Counts{{"evaluate", 1}}));
  // There is nothing left to do.
  const Seen second = seen_in([&] { evaluate({request_of(node)}); });
  EXPECT_EQ(second.spans, Counts{});
  EXPECT_EQ(second.latencies, Counts{});
}

TEST(Spans, OfWorkersWhereThereAreSeveral) {
  const ThreadSetting two(2);
  const graph::NodeRef node = doubled(node_of(Plain(DType::k_float32, {1 << 20})));
  const Seen seen = seen_in([&] { evaluate({request_of(node)}); });
  EXPECT_EQ(seen.spans, (Counts{{"evaluate", 1}, {"plan", 1}, {"compute", 1}, {"worker", 2}}));
}

TEST(Spans, OfAStreamFromFileToFile) {
  const TemporaryDirectory directory;
  const ThreadSetting one(1);
  const EnvSetting io("PENSTOCK_IO", "direct");
  const EnvSetting tiles("PENSTOCK_DEBUG_OUTER", "5");
  const std::string source = directory.put("x.npy", npy_text(Plain(DType::k_float32, {20000})));
  const Seen seen = seen_in([&] {
    const Request request =
        request_to_file(doubled(file_node(source)), directory.path("out.npy"), store::Durability::kPower);
    evaluate({request});
    request.destination.sink->commit();
  });
  EXPECT_GT(seen.tiles, 1);
  // The file's data and its directory are synced.
  EXPECT_EQ(seen.spans, (Counts{{"evaluate", 1},
                                {"plan", 1},
                                {"read", seen.tiles},
                                {"compute", seen.tiles},
                                {"write", seen.tiles},
                                {"sync", 2}}));
  EXPECT_EQ(seen.latencies, (Counts{{"evaluate", 1}, {"read", seen.tiles}, {"write", seen.tiles}, {"sync", 2}}));
  // Readers and writers are threads of their own.
  const auto threads_of = [&](const std::string& step) {
    const std::regex event("\"name\": \"" + step + "\"[^}]*\"tid\": (\\d+)");
    std::map<std::string, int> found;
    for (std::sregex_iterator at(seen.trace.begin(), seen.trace.end(), event), end; at != end; ++at) ++found[(*at)[1]];
    return found;
  };
  const auto evaluating = threads_of("compute");
  EXPECT_EQ(evaluating.size(), 1u);
  EXPECT_EQ(threads_of("read").count(evaluating.begin()->first), 0u);
  EXPECT_EQ(threads_of("write").count(evaluating.begin()->first), 0u);
}

TEST(Spans, OfAScratchFileAndATransposedOne) {
  const TemporaryDirectory directory;
  const std::string source = directory.put("x.npy", npy_text(Plain(DType::k_float32, {1501, 1403})));
  const BudgetSetting budget(memory::Governor::instance().used() + (6 << 20));
  Seen seen = seen_in([&] {
    const graph::NodeRef file = file_node(source);
    const graph::NodeRef turned = graph::make_view(file, {graph::View::Type::kPermute, {}, {1, 0}, {}});
    const graph::NodeRef flat = graph::make_view(turned, {graph::View::Type::kReshape, {}, {}, {file->size()}});
    const Request request = request_to_file(doubled(flat), directory.path("out.npy"));
    evaluate({request});
    request.destination.sink->commit();
  });
  EXPECT_GT(seen.spans["spill"], 0);
  EXPECT_GT(seen.spans["transpose"], 0);
  EXPECT_EQ(seen.spans["spill"] + seen.spans["write"], seen.tiles);
  EXPECT_EQ(seen.latencies["spill"], seen.spans["spill"]);
  // Only the scratch file's end waits for the disk.
  EXPECT_EQ(seen.spans["sync"], 1);
}

TEST(Spans, OfAnEvaluationThatFails) {
  graph::NodeRef node = graph::make_iota(graph::Scalar::of(0.0), graph::Scalar::of(1e-3), {1'000'000});
  for (int i = 0; i < 60; ++i) node = graph::make_elementwise(Op::k_sin, {node});
  Request request = request_of(node);
  request.destination.kind = Destination::Kind::kMemory;
  request.destination.memory = std::make_shared<Borrowed>(node->bytes());
  request.destination.layout = {{1'000'000}, {8}, 0};
  // A sine is never 2: where the first one is written, it computes. One thread writes and polls.
  const ThreadSetting one(1);
  auto* const first = reinterpret_cast<double*>(request.destination.memory->data());
  *first = 2;
  Options options;
  options.poll = [&](const Progress&) {
    if (*first != 2) throw std::runtime_error("enough");
  };
  const Seen seen = seen_in([&] { EXPECT_THROW(evaluate({request}, options), std::runtime_error); });
  EXPECT_EQ(seen.spans.at("evaluate"), 1);
  EXPECT_EQ(seen.spans.at("compute"), 1);
  EXPECT_EQ(seen.latencies, (Counts{{"evaluate", 1}}));
}

}  // namespace
}  // namespace penstock::run
