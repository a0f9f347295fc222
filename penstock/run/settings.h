// SPDX-License-Identifier: Apache-2.0
// For tests: nodes from plain values, values of nodes, and settings that last as long as an object. Tests only.
#pragma once

#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "penstock/memory/governor.h"
#include "penstock/run/execute.h"
#include "penstock/run/plain.h"
#include "penstock/simd/target.h"
#include "penstock/store/npy_header.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {

/// An environment variable as long as the object lives.
class EnvSetting {
 public:
  EnvSetting(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* old = std::getenv(name_.c_str())) before_ = old;
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~EnvSetting() {
    if (before_)
      setenv(name_.c_str(), before_->c_str(), 1);
    else
      unsetenv(name_.c_str());
  }
  EnvSetting(const EnvSetting&) = delete;
  EnvSetting& operator=(const EnvSetting&) = delete;

 private:
  std::string name_;
  std::optional<std::string> before_;
};

struct ThreadSetting {
  explicit ThreadSetting(int threads) { thread::set_count(threads); }
  ~ThreadSetting() { thread::set_count(0); }
};

struct BudgetSetting {
  explicit BudgetSetting(std::int64_t bytes) { memory::Governor::instance().set_budget(bytes); }
  ~BudgetSetting() { memory::Governor::instance().set_budget(0); }
};

struct TargetSetting {
  explicit TargetSetting(simd::Target target) { simd::force_target(target); }
  ~TargetSetting() { simd::force_target(std::nullopt); }
};

/// PENSTOCK_TEST_GRAPHS, or `usual`: how many random cases a test runs.
inline std::int64_t test_graphs(std::int64_t usual) {
  const char* text = std::getenv("PENSTOCK_TEST_GRAPHS");
  return text != nullptr ? std::atoll(text) : usual;
}

/// Memory that is no buffer of Penstock, as a NumPy array would be.
class Borrowed final : public memory::Memory {
 public:
  explicit Borrowed(std::int64_t bytes) : bytes_(static_cast<std::size_t>(bytes)) {}
  std::byte* data() const override { return const_cast<std::byte*>(bytes_.data()); }

 private:
  std::vector<std::byte> bytes_;
};

/// The elements of a layout in memory, in C order.
inline Plain plain_in(const std::byte* base, const Layout& layout, DType dtype) {
  Plain out(dtype, layout.shape);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const Dims indices = plain::indices_of(i, layout.shape);
    std::int64_t offset = layout.offset;
    for (std::size_t d = 0; d < indices.size(); ++d) offset += indices[d] * layout.strides[d];
    std::memcpy(out.at(i), base + offset, static_cast<std::size_t>(size_of(dtype)));
  }
  return out;
}

/// Small numbers, of which every function takes most; sums of floats among them are rounded.
inline Plain numbers(DType dtype, const Dims& shape, int from = 1) {
  Plain values(dtype, shape);
  visit(dtype, [&]<class T>() {
    if constexpr (!std::is_same_v<T, Half>) {
      for (std::int64_t i = 0; i < values.size(); ++i) {
        const T x = static_cast<T>(static_cast<float>((i * 5 + from) % 7) * 0.7f);
        std::memcpy(values.at(i), &x, sizeof x);
      }
    }
  });
  return values;
}

/// A node over borrowed memory in C order.
inline graph::NodeRef node_of(const Plain& values) {
  auto memory = std::make_shared<Borrowed>(static_cast<std::int64_t>(values.bytes.size()));
  if (!values.bytes.empty()) std::memcpy(memory->data(), values.bytes.data(), values.bytes.size());
  return graph::make_memory(values.dtype, std::move(memory), contiguous(values.shape, size_of(values.dtype)));
}

/// The same values with the axes in the opposite order in memory.
inline graph::NodeRef transposed_node_of(const Plain& values) {
  std::vector<int> reversed;
  for (int d = static_cast<int>(values.shape.size()); d-- > 0;) reversed.push_back(d);
  const graph::NodeRef turned = node_of(plain::permute(values, reversed));
  const auto* memory = turned->as<graph::InMemory>();
  return graph::make_memory(values.dtype, memory->memory, view_permute(memory->layout, reversed));
}

inline std::string npy_text(const Plain& values) {
  return store::make_npy_header(values.dtype, values.shape) +
         std::string(reinterpret_cast<const char*>(values.bytes.data()), values.bytes.size());
}

inline graph::NodeRef file_node(const std::string& path) { return graph::make_file(store::open_npy(path)); }

inline Request request_of(const graph::NodeRef& node) { return {node, {}}; }

inline Request request_to_file(const graph::NodeRef& node, const std::string& path,
                               store::Durability durability = store::Durability::kNone) {
  Request request = request_of(node);
  request.destination.kind = Destination::Kind::kFile;
  request.destination.path = path;
  request.destination.sink = std::make_shared<store::NpySink>(path, node->dtype, node->shape, true, durability);
  return request;
}

/// The elements of an evaluated node, in C order.
inline Plain values_of(const graph::NodeRef& node) {
  const std::lock_guard lock(graph::graph_mutex());
  const std::optional<graph::InMemory> found = graph::resident(*node);
  PENSTOCK_CHECK(found.has_value(), "the node is not evaluated");
  return plain_in(found->memory->data(), found->layout, node->dtype);
}

inline Plain evaluated(const graph::NodeRef& node, const Options& options = {}) {
  evaluate({request_of(node)}, options);
  return values_of(node);
}

}  // namespace penstock::run
