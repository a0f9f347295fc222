// SPDX-License-Identifier: Apache-2.0
#include "penstock/array/array.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "penstock/array/settle.h"
#include "penstock/base/error.h"
#include "penstock/run/at_once.h"
#include "penstock/run/direct.h"
#include "penstock/run/keep.h"
#include "penstock/run/operate.h"

namespace penstock {
namespace {

constexpr std::int64_t kAtOnce = 32 << 10;  // bytes; below this a node costs more than its elements
constexpr int kDeepest = 512;

bool small_and_ready(const graph::Node& node) {
  if (node.bytes() > kAtOnce) return false;
  const auto ready = [](const graph::NodeRef& input) {
    return input->bytes() <= kAtOnce &&
           (graph::resident(*input) || input->as<graph::Constant>() || input->as<graph::Iota>());
  };
  // A conversion that the function itself put before its operand does not stand in the way.
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](const graph::NodeRef& input) {
    if (ready(input)) return true;
    return input->as<graph::CastTo>() && input->bytes() <= kAtOnce && ready(input->inputs[0]);
  });
}

Array of(DType dtype, graph::InMemory&& elements) {
  return Array(std::make_shared<graph::Node>(dtype, std::move(elements)));
}

std::atomic<Settler> settler{nullptr};

void evaluate_settled(const Array& array) {
  if (const Settler own = settler.load(std::memory_order_relaxed)) return own(array);
  evaluate({array});
}

}  // namespace

graph::NodeRef computable(const graph::NodeRef& node) {
  return node->dtype == DType::k_float16 ? graph::make_cast(node, DType::k_float32) : node;
}

Array settle(graph::NodeRef node) {
  bool now = false;
  bool view = false;  // never evaluated: views are also made with the interpreter's lock held
  {
    const std::lock_guard lock(graph::graph_mutex());
    view = node->as<graph::View>() != nullptr;
    now = !node->inputs.empty() && !view && small_and_ready(*node);
  }
  Array array(std::move(node));
  if (now) {
    evaluate_settled(array);
  } else if (array.node()->depth > kDeepest && !view) {
    try {
      evaluate_settled(array);
    } catch (const BudgetError&) {
      // Too large to keep: the expression stays lazy, whatever its depth.
    }
  }
  return array;
}

void set_settler(Settler own) { settler.store(own); }

Array operated(DType dtype, const Dims& shape, std::shared_ptr<const graph::Operator> op,
               const std::vector<Array>& inputs) {
  std::vector<graph::NodeRef> nodes;
  for (const Array& input : inputs) nodes.push_back(input.node());
  return settle(graph::make_operator(dtype, shape, std::move(op), std::move(nodes)));
}

namespace {

std::optional<graph::InMemory> resident_now(const graph::Node& node) {
  if (const graph::InMemory* elements = node.in_memory()) return *elements;
  const std::lock_guard lock(graph::graph_mutex());
  return graph::resident(node);
}

}  // namespace

const Dims Array::kNoDims;

graph::NodeRef Array::node_of(const graph::Scalar& element) {
  const std::int64_t size = size_of(element.dtype);
  memory::Buffer buffer = memory::Buffer::allocate(size, "an element");
  std::memcpy(buffer.data(), element.bytes, static_cast<std::size_t>(size));
  return graph::make_memory(element.dtype, memory::share(std::move(buffer)), contiguous({}, size));
}

bool Array::evaluated() const {
  if (node_ == nullptr || node_->in_memory() != nullptr) return true;
  const std::lock_guard lock(graph::graph_mutex());
  return graph::resident(*node_).has_value();
}

graph::InMemory Array::data(const run::Options& options) const {
  if (node_ == nullptr) return *node()->in_memory();
  std::optional<graph::InMemory> found = resident_now(*node_);
  if (!found) {
    evaluate({*this}, options);
    found = resident_now(*node_);
  }
  PENSTOCK_CHECK(found.has_value());
  return std::move(*found);
}

namespace {

/// One element as another C++ type; complex numbers only become complex numbers.
template <class T, class S>
T converted(S value) {
  constexpr bool kToComplex = std::is_same_v<T, std::complex<double>>;
  if constexpr (std::is_same_v<S, Half>)
    throw DTypeError("float16 is a storage dtype; convert it with astype");
  else if constexpr (std::is_same_v<T, bool>)
    return value != S(0);
  else if constexpr (std::is_arithmetic_v<S> && kToComplex)
    return static_cast<double>(value);
  else if constexpr (std::is_floating_point_v<S> && std::is_integral_v<T>) {
    const auto low = static_cast<double>(std::numeric_limits<T>::min());
    if (!(value >= low && value < static_cast<double>(std::numeric_limits<T>::max())))
      throw ArgumentError(cat(value, " is no integer of 64 bits"));
    return static_cast<T>(value);
  } else if constexpr (std::is_arithmetic_v<S> || kToComplex)
    return static_cast<T>(value);
  else
    throw DTypeError("a complex number is no real one; take real, imag or abs of it");
}

}  // namespace

template <class T>
T Array::item() const {
  if (size() != 1) throw ShapeError(cat("an array of shape ", shape_text(shape()), " is no single number"));
  const auto read = [this](const std::byte* from) {
    return visit(dtype(), [&]<class S>() {
      S value;
      std::memcpy(&value, from, sizeof value);
      return converted<T>(value);
    });
  };
  if (node_ == nullptr) return read(element_.bytes);
  const auto first = [&](const graph::InMemory& in) { return read(in.memory->data() + in.layout.offset); };
  const graph::InMemory* own = node_->in_memory();
  return own != nullptr ? first(*own) : first(data());
}

template bool Array::item<bool>() const;
template std::int64_t Array::item<std::int64_t>() const;
template std::uint64_t Array::item<std::uint64_t>() const;
template double Array::item<double>() const;
template std::complex<double> Array::item<std::complex<double>>() const;

namespace {

/// Whether the indices name a single element: an integer for each dimension.
bool name_element(std::span<const Index> indices, const Dims& shape) {
  const auto is_integer = [](const Index& index) { return index.type == Index::Type::kInteger; };
  return indices.size() == shape.size() && std::all_of(indices.begin(), indices.end(), is_integer);
}

}  // namespace

Array Array::element_of(DType dtype, const graph::InMemory& in, std::int64_t offset) {
  Array made;
  made.element_.dtype = dtype;
  const std::byte* from = in.memory->data() + offset;
  visit(dtype, [&]<class T>() { std::memcpy(made.element_.bytes, from, sizeof(T)); });  // sizes the compiler knows
  return made;
}

Array Array::operator[](std::span<const Index> indices) const {
  if (const graph::InMemory* in = node_ ? node_->in_memory() : nullptr) {
    if (name_element(indices, in->layout.shape)) return element_of(dtype(), *in, element_offset(in->layout, indices));
    return of(dtype(), {in->memory, view_index(in->layout, indices)});
  }
  return settle(graph::make_view(node(), {graph::View::Type::kIndex, {indices.begin(), indices.end()}, {}, {}}));
}

Array Array::at(const Index& index) const {
  const graph::InMemory* in = node_ ? node_->in_memory() : nullptr;
  if (in == nullptr || in->layout.rank() != 1) return (*this)[std::span(&index, 1)];
  const std::int64_t extent = in->layout.shape[0];
  const std::int64_t stride = in->layout.strides[0];
  if (index.type == Index::Type::kInteger) {
    const std::int64_t i = index.start < 0 ? index.start + extent : index.start;
    if (i < 0 || i >= extent) return (*this)[std::span(&index, 1)];  // says what is wrong
    return element_of(dtype(), *in, in->layout.offset + i * stride);
  }
  if (index.type != Index::Type::kSlice) return (*this)[std::span(&index, 1)];
  const Span span = resolve_slice(index, extent);
  // As view_index has them: nothing lies behind the begin of no elements, and one element has no next one.
  const std::int64_t offset = in->layout.offset + (span.count > 0 ? span.start * stride : 0);
  return Array(
      std::make_shared<graph::Node>(node_->dtype, *in, span.count, span.count > 1 ? span.step * stride : 0, offset));
}

namespace {

/// What fills a part of this rank: leading axes of extent 1 that the part has no place for are left out, as NumPy does.
Array filling(const Array& value, std::size_t rank) {
  const Dims& shape = value.shape();
  const std::size_t extra = shape.size() > rank ? shape.size() - rank : 0;
  const auto first = shape.begin() + static_cast<std::ptrdiff_t>(extra);
  const bool single = std::all_of(shape.begin(), first, [](std::int64_t n) { return n == 1; });
  return extra > 0 && single ? reshape(value, Dims(first, shape.end())) : value;
}

}  // namespace

std::optional<Array> assigned(const graph::NodeRef& node, std::span<const Index> indices, const Array& value,
                              long holders) {
  const Dims part = view_index(contiguous(node->shape, 1), indices).shape;
  const Array fitted = broadcast_to(astype(filling(value, part.size()), node->dtype), part);
  std::optional<graph::InMemory> own;
  {
    const std::lock_guard lock(graph::graph_mutex());
    const auto* memory = node->as<graph::InMemory>();
    // A value that reads this array holds a reference to its node or its memory, so it never takes this way.
    if (memory != nullptr && node.use_count() == holders && memory->memory->owned_bytes() > 0 &&
        memory->memory.use_count() == 1) {
      std::atomic_thread_fence(std::memory_order_acquire);  // after what former holders read
      own = *memory;
    }
  }
  if (own) {
    evaluate_into(fitted, node->dtype, own->memory, view_index(own->layout, indices));
    return std::nullopt;
  }
  // New axes name no element of the output: they only shape the value.
  std::vector<Index> places;
  std::copy_if(indices.begin(), indices.end(), std::back_inserter(places),
               [](const Index& i) { return i.type != Index::Type::kNewAxis; });
  const Dims placed = view_index(contiguous(node->shape, 1), places).shape;
  return settle(graph::make_pieces(node->dtype, node->shape, {node, reshape(fitted, placed).node()}, {{}, places}));
}

void Array::assign(std::span<const Index> indices, const Array& value) {
  if (node_ == nullptr) node_ = node_of(element_);
  if (std::optional<Array> other = assigned(node_, indices, value, 1)) *this = std::move(*other);
}

Array open(const std::string& path, bool strict, std::string* warning) {
  return Array(computable(graph::make_file(store::open_npy(path, strict, warning))));
}

Array open_raw(const std::string& path, DType dtype, std::optional<Dims> shape, std::int64_t offset) {
  return Array(computable(graph::make_file(store::open_raw(path, dtype, std::move(shape), offset))));
}

Array borrow(DType dtype, std::shared_ptr<memory::Memory> memory, Layout layout) {
  return Array(computable(graph::make_memory(dtype, std::move(memory), std::move(layout))));
}

namespace {

bool all_in_memory(const std::vector<Array>& arrays) {
  const std::lock_guard lock(graph::graph_mutex());
  return std::all_of(arrays.begin(), arrays.end(), [](const Array& array) {
    return array.held_node() == nullptr || graph::resident(*array.held_node()).has_value();
  });
}

}  // namespace

void evaluate(const std::vector<Array>& arrays, const run::Options& options) {
  if (all_in_memory(arrays)) return;
  std::vector<run::Request> requests;
  for (const Array& array : arrays) requests.push_back({array.node(), {}});
  run::evaluate(requests, options);
}

namespace {

/// Evaluates arrays together where memory has room for all.
bool all_evaluated(const std::vector<Array>& arrays, const run::Options& options) {
  if (all_in_memory(arrays)) return true;
  std::int64_t bytes = 0;
  for (const Array& array : arrays) bytes += array.nbytes();
  if (!run::has_room(bytes, run::Keep::kBeside)) return false;
  try {
    evaluate(arrays, options);
    return true;
  } catch (const BudgetError&) {
    return false;
  }
}

}  // namespace

std::vector<Array> kept(const std::vector<Array>& arrays, const run::Options& options) {
  if (all_evaluated(arrays, options)) return arrays;
  std::vector<Array> result;
  for (const Array& array : arrays) {
    const bool element = array.held_node() == nullptr;
    result.push_back(element ? array : Array(run::keep(array.node(), options)));
  }
  return result;
}

bool evaluate_briefly(const Array& array) {
  constexpr std::int64_t kBrief = 256 << 10;  // plain operations: tens of microseconds
  return run::operate_whole(array.node(), {}, kBrief) || run::evaluate_directly({array.node(), {}}, {}, kBrief);
}

void save(const Array& array, const std::string& path, bool overwrite, const run::Options& options) {
  auto sink = std::make_shared<store::NpySink>(path, array.dtype(), array.shape(), overwrite);
  run::Request request{array.node(), {}};
  request.destination.kind = run::Destination::Kind::kFile;
  request.destination.sink = sink;
  request.destination.path = path;
  run::evaluate({request}, options);
  sink->commit();
}

void evaluate_into(const Array& array, DType dtype, std::shared_ptr<memory::Memory> memory, const Layout& layout,
                   const run::Options& options) {
  if (array.shape() != layout.shape) {
    throw ShapeError(cat("out has shape ", shape_text(layout.shape), "; the result has ", shape_text(array.shape())));
  }
  if (array.dtype() != dtype) {
    throw DTypeError(
        cat("out has dtype ", name_of(dtype), "; the result has ", name_of(array.dtype()), "; convert it with astype"));
  }
  run::Request request{array.node(), {}};
  request.destination.kind = run::Destination::Kind::kMemory;
  request.destination.memory = std::move(memory);
  request.destination.layout = layout;
  if (run::evaluate_directly(request, options)) return;
  bool clash = false;
  {
    const std::lock_guard lock(graph::graph_mutex());
    clash = reads_and_writes(run::make_plan({request}), request.destination.memory->data(), layout, size_of(dtype));
  }
  if (clash) {
    // What is written would still be read: the result is computed beside it first. The handle itself keeps no copy.
    const Array apart(
        graph::make_elementwise(Op::k_where, {full({}, {Kind::kBool, true}).node(), array.node(), array.node()}));
    evaluate({apart}, options);
    request.node = apart.node();
  }
  run::evaluate({request}, options);
}

run::PlanReport plan(const std::vector<Array>& arrays, bool to_files, const std::string& path) {
  std::vector<run::Request> requests;
  for (const Array& array : arrays) {
    requests.push_back({array.node(), {}});
    if (!to_files) continue;
    requests.back().destination.kind = run::Destination::Kind::kAbstract;
    requests.back().destination.path = path;
  }
  return run::explain(requests);
}

bool reads_and_writes(const run::Plan& plan, const std::byte* memory, const Layout& layout, std::int64_t size) {
  const ByteRange written = byte_range(layout, size);
  for (const run::Pipeline& pipeline : plan.pipelines) {
    for (const run::Operand& operand : pipeline.program.operands) {
      if (operand.kind != run::Operand::Kind::kMemory) continue;
      const std::byte* other = operand.memory->data();
      const ByteRange read = byte_range(operand.layout, size_of(operand.dtype));
      if (other + read.end <= memory + written.begin || memory + written.end <= other + read.begin) continue;
      const bool same = other + operand.layout.offset == memory + layout.offset &&
                        operand.layout.shape == layout.shape && operand.layout.strides == layout.strides &&
                        size_of(operand.dtype) == size;
      if (!same || plan.pipelines.size() > 1) return true;
    }
  }
  return false;
}

Array astype(const Array& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  if (const graph::Scalar* element = x.element()) return Array(run::cast_of_value(*element, dtype));
  if (x.size() <= run::kMostAtOnce) {
    if (graph::NodeRef done = run::cast_at_once(*x.held_node(), dtype)) return Array(std::move(done));
  }
  return settle(graph::make_cast(x.node(), dtype));
}

}  // namespace penstock
