// SPDX-License-Identifier: Apache-2.0
// A random graph evaluated in a random way (threads, tiles, I/O, budget, CPU target; into memory or files of any
// layout): it has to give the plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/random_graph.h"

namespace penstock::fuzz {

/// How a graph is evaluated.
struct Ways {
  int threads = 1;
  std::string tile;
  std::string outer;
  std::string io;
  std::int64_t budget = 0;

  explicit Ways(Draw& draw) {
    static constexpr int kThreads[] = {1, 2, 7};
    static constexpr const char* kTiles[] = {"", "1", "7", "64", "512"};
    static constexpr const char* kOuters[] = {"", "1", "100", "4096", "20000"};
    static constexpr const char* kIos[] = {"auto", "mmap", "pread", "direct"};
    static constexpr std::int64_t kBudgets[] = {0, 0, 20'000, 60'000, 150'000, 400'000, 1'000'000, 3'000'000};
    threads = draw.among(kThreads);
    tile = draw.among(kTiles);
    outer = draw.among(kOuters);
    io = draw.among(kIos);
    budget = draw.among(kBudgets);
  }
  std::string text() const {
    return cat("threads ", threads, " tile ", tile, " outer ", outer, " io ", io, " budget ", budget, "\n");
  }
};

/// Where a root's values went, and how to look at them.
struct Outlet {
  run::Request request;
  std::string path;
};

inline Outlet outlet_for(Draw& draw, const Entry& root, const TemporaryDirectory& directory, std::size_t number) {
  Outlet outlet{{root.node, {}}, ""};
  const std::int64_t kind = draw.below(6);
  const std::int64_t size = size_of(root.plain.dtype);
  if (kind == 4) {
    outlet.path = directory.path(cat("out", number, ".npy"));
    outlet.request = run::request_to_file(root.node, outlet.path);
  } else if (kind == 5) {
    // Axes in the opposite order and twice as far apart.
    Dims reversed(root.plain.shape.rbegin(), root.plain.shape.rend());
    std::vector<int> axes;
    for (int d = static_cast<int>(reversed.size()); d-- > 0;) axes.push_back(d);
    Layout layout = view_permute(contiguous(reversed, 2 * size), axes);
    outlet.request.destination.kind = run::Destination::Kind::kMemory;
    outlet.request.destination.memory =
        std::make_shared<run::Borrowed>(2 * size * std::max<std::int64_t>(root.plain.size(), 1));
    outlet.request.destination.layout = std::move(layout);
  }
  return outlet;
}

inline Plain look(const Outlet& outlet) {
  const run::Destination& to = outlet.request.destination;
  if (to.kind == run::Destination::Kind::kNode) return run::values_of(outlet.request.node);
  if (to.kind == run::Destination::Kind::kMemory)
    return run::plain_in(to.memory->data(), to.layout, outlet.request.node->dtype);
  to.sink->commit();
  return run::evaluated(run::file_node(outlet.path));
}

/// Makes and evaluates one graph; "" or what went wrong.
inline std::string try_graph(std::span<const std::uint8_t> bytes, bool every_target) {
  Draw draw(bytes);
  const TemporaryDirectory directory;
  const Ways ways(draw);
  const run::ThreadSetting threads(ways.threads);
  const run::EnvSetting tile("PENSTOCK_DEBUG_TILE", ways.tile);
  const run::EnvSetting outer("PENSTOCK_DEBUG_OUTER", ways.outer);
  const run::EnvSetting io("PENSTOCK_IO", ways.io);
  const std::vector<simd::Target>& targets = simd::targets();
  const simd::Target target =
      every_target ? targets[static_cast<std::size_t>(draw.below(static_cast<std::int64_t>(targets.size())))]
                   : targets.back();
  const run::TargetSetting forced(target);
  RandomGraph graph(draw, directory);
  std::vector<Outlet> outlets;
  const std::vector<Entry> roots = graph.roots();
  std::vector<run::Request> requests;
  for (const Entry& root : roots) {
    outlets.push_back(outlet_for(draw, root, directory, outlets.size()));
    requests.push_back(outlets.back().request);
  }
  const auto story = [&] {
    std::string text = cat(graph.text(), ways.text(), simd::target_name(target), "\n");
    for (const Outlet& each : outlets) {
      text +=
          cat(graph.name_of_entry(each.request.node), " to ", static_cast<int>(each.request.destination.kind), "\n");
    }
    return text;
  };
  const std::int64_t used = memory::Governor::instance().used();
  bool done = false;
  if (ways.budget > 0) {
    const run::BudgetSetting budget(used + ways.budget);
    try {
      run::evaluate(requests);
      done = true;
    } catch (const BudgetError&) {
      // Nothing is kept of what did not fit.
      if (memory::Governor::instance().used() != used) return cat(story(), "a refused evaluation keeps memory\n");
    }
  }
  if (!done) run::evaluate(requests);
  const bool has_fma = target == simd::Target::kScalar ? simd::has_fma() : target != simd::Target::kSse4;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    if (roots[i].rounds_by_fma && (!has_fma || !simd::has_fma())) continue;
    const std::string wrong = run::difference(look(outlets[i]), roots[i].plain);
    if (!wrong.empty())
      return cat(story(), "root ", i, " to ", static_cast<int>(requests[i].destination.kind), ": ", wrong, "\n");
  }
  return "";
}

}  // namespace penstock::fuzz
