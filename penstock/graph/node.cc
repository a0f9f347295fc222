// SPDX-License-Identifier: Apache-2.0
#include "penstock/graph/node.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "penstock/base/error.h"
#include "penstock/memory/pool.h"
#include "penstock/op/infer.h"

namespace penstock::graph {
namespace {

int depth_over(const std::vector<NodeRef>& inputs) {
  int depth = 0;
  for (const NodeRef& input : inputs) depth = std::max(depth, input->depth.load());
  return inputs.empty() ? 0 : depth + 1;
}

/// The view's shape for an input of `shape`; any view but a reshape has one for every layout.
Dims shape_of(const View& view, const Dims& shape) {
  if (view.type == View::Type::kReshape) return view.shape;
  return view.of(contiguous(shape, 1))->shape;
}

// Guarded by graph_mutex().
int rewrites = 0;
int forks = 0;  // that wait for the rewrites to end

void before_fork() {
  // No rewrite lasts so long: a fork in the middle of one's own thread, by a signal's handler, is not to hang.
  constexpr std::chrono::seconds kMost{10};
  graph_mutex().lock();
  ++forks;
  const auto end = std::chrono::steady_clock::now() + kMost;
  while (rewrites > 0 && std::chrono::steady_clock::now() < end) {
    graph_mutex().unlock();
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    graph_mutex().lock();
  }
}

void after_fork_in_parent() {
  --forks;
  graph_mutex().unlock();
}

void after_fork_in_child() {
  forks = rewrites = 0;
  graph_mutex().unlock();
}

std::string axes_text(const std::vector<int>& axes) { return shape_text(Dims(axes.begin(), axes.end())); }

}  // namespace

std::optional<Layout> View::of(const Layout& in) const {
  switch (type) {
    case Type::kIndex:
      return view_index(in, indices);
    case Type::kPermute:
      return view_permute(in, axes);
    case Type::kBroadcast:
      return view_broadcast(in, shape);
    case Type::kFlip:
      return view_flip(in, axes);
    case Type::kReshape:
      return view_reshape(in, shape);
  }
  return std::nullopt;
}

Node::Node(DType dtype_, Dims shape_, Content content_, std::vector<NodeRef> inputs_)
    : dtype(dtype_),
      shape(std::move(shape_)),
      depth(depth_over(inputs_)),
      content(std::move(content_)),
      inputs(std::move(inputs_)),
      settled(as<InMemory>() != nullptr) {}

Node::Node(DType dtype_, InMemory&& elements)
    : dtype(dtype_),
      shape(elements.layout.shape),
      depth(0),
      content(std::in_place_type<InMemory>, std::move(elements)),
      settled(true) {}

Node::Node(DType dtype_, const InMemory& vector, std::int64_t extent, std::int64_t stride, std::int64_t offset)
    : dtype(dtype_), shape(1, extent), depth(0), content(std::in_place_type<InMemory>, vector), settled(true) {
  // Changed in its place: a layout that was just written in small pieces is slow to copy.
  Layout& layout = std::get_if<InMemory>(&content)->layout;
  layout.shape[0] = extent;
  layout.strides[0] = stride;
  layout.offset = offset;
}

void Node::settle(InMemory elements) {
  content = std::move(elements);
  depth = 0;
  settled.store(true, std::memory_order_release);
}

Node::~Node() {
  if (inputs.empty()) return;
  // A chain of nodes is taken apart in a loop: its length must not be limited by the stack.
  std::vector<NodeRef> doomed = std::move(inputs);
  while (!doomed.empty()) {
    const NodeRef last = std::move(doomed.back());
    doomed.pop_back();
    if (last.use_count() == 1) {
      for (NodeRef& input : last->inputs) doomed.push_back(std::move(input));
      last->inputs.clear();
    }
  }
}

std::mutex& graph_mutex() {
  static std::mutex mutex;
  static const int registered = [] {
    // Who holds this lock may ask the pool for its own. The handlers before a fork run in reverse order of their
    // registration, which the pool's first use makes: so this lock is taken first then too.
    memory::pool_stats();
    return pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  }();
  static_cast<void>(registered);
  return mutex;
}

bool begin_rewrite() {
  if (forks > 0) return false;
  ++rewrites;
  return true;
}

void end_rewrite() { --rewrites; }

std::optional<InMemory> resident(const Node& node) {
  if (const InMemory* elements = node.in_memory()) return *elements;
  std::vector<const View*> views;
  const Node* at = &node;
  while (const View* view = at->as<View>()) {
    views.push_back(view);
    at = at->inputs[0].get();
  }
  const InMemory* found = at->as<InMemory>();
  if (found == nullptr) return std::nullopt;
  InMemory result = *found;
  for (std::size_t i = views.size(); i-- > 0;) {
    std::optional<Layout> layout = views[i]->of(result.layout);
    if (!layout) return std::nullopt;
    result.layout = std::move(*layout);
  }
  return result;
}

std::string node_text(const Node& node) {
  struct Text {
    const Node& node;
    std::string operator()(const InMemory&) const { return "memory"; }
    std::string operator()(const InFile& in) const { return in.file->path(); }
    std::string operator()(const Constant&) const { return "constant"; }
    std::string operator()(const Iota&) const { return "arange"; }
    std::string operator()(const Elementwise& e) const { return row(e.op).name; }
    std::string operator()(const CastTo&) const { return cat("astype ", name_of(node.dtype)); }
    std::string operator()(const View& v) const {
      static constexpr const char* kNames[] = {"index", "permute_dims", "broadcast_to", "flip", "reshape"};
      return kNames[static_cast<int>(v.type)];
    }
    std::string operator()(const Reduce& r) const {
      return cat(row(r.reduction).name, " over axes ", axes_text(r.axes));
    }
    std::string operator()(const Histogram& h) const { return cat("histogram of ", h.edges.size() - 1, " bins"); }
    std::string operator()(const Pieces& p) const { return cat("assembly of ", p.places.size(), " parts"); }
    std::string operator()(const Operate& o) const { return o.op->text(); }
  };
  return std::visit(Text{node}, node.content);
}

NodeRef make_memory(DType dtype, std::shared_ptr<memory::Memory> memory, Layout layout) {
  return std::make_shared<Node>(dtype, InMemory{std::move(memory), std::move(layout)});
}

NodeRef make_file(std::shared_ptr<store::FileSource> file) {
  // A file's bool bytes may be anything; read as numbers and converted, they are 0 or 1 to every kernel.
  const DType held = file->format().dtype;
  const DType read = held == DType::k_bool ? DType::k_uint8 : held;
  Layout layout = file->format().layout;
  Dims shape = layout.shape;
  return make_cast(std::make_shared<Node>(read, std::move(shape), InFile{std::move(file), std::move(layout)}), held);
}

NodeRef make_constant(Scalar value, Dims shape) {
  count(shape);
  const DType dtype = value.dtype;
  return std::make_shared<Node>(dtype, std::move(shape), Constant{value});
}

NodeRef make_iota(Scalar start, Scalar delta, Dims shape) {
  count(shape);
  const DType dtype = start.dtype;
  return std::make_shared<Node>(dtype, std::move(shape), Iota{start, delta});
}

NodeRef make_cast(const NodeRef& in, DType dtype) {
  if (in->dtype == dtype) return in;
  return std::make_shared<Node>(dtype, in->shape, CastTo{}, std::vector{in});
}

NodeRef make_elementwise(Op op, std::vector<NodeRef> operands) {
  std::vector<DType> dtypes;
  Dims shape;
  for (const NodeRef& operand : operands) {
    dtypes.push_back(operand->dtype);
    shape = broadcast(shape, operand->shape);
  }
  const ElementwiseTypes types = infer_elementwise(op, dtypes);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const DType wanted = types.operand(op, i);
    operands[i] = make_cast(operands[i], wanted);
  }
  return std::make_shared<Node>(types.result, std::move(shape), Elementwise{op, types.compute}, std::move(operands));
}

NodeRef make_view(const NodeRef& in, View view) {
  Dims shape = shape_of(view, in->shape);
  return std::make_shared<Node>(in->dtype, std::move(shape), std::move(view), std::vector{in});
}

NodeRef make_reduce(Reduction reduction, const NodeRef& in, const std::vector<int>& axes, bool keepdims) {
  const DType accumulator = accumulator_of(reduction, in->dtype);
  Dims shape = reduced_shape(reduction, in->shape, axes, keepdims);
  return std::make_shared<Node>(reduced_dtype(reduction, in->dtype), std::move(shape), Reduce{reduction, axes},
                                std::vector{make_cast(in, accumulator)});
}

NodeRef make_histogram(const NodeRef& in, std::vector<double> edges, double scale) {
  const Dims shape{static_cast<std::int64_t>(edges.size()) - 1};
  return std::make_shared<Node>(DType::k_int64, shape, Histogram{std::move(edges), scale},
                                std::vector{make_cast(in, DType::k_float64)});
}

NodeRef make_pieces(DType dtype, Dims shape, std::vector<NodeRef> inputs, std::vector<std::vector<Index>> places) {
  count(shape);
  return std::make_shared<Node>(dtype, std::move(shape), Pieces{std::move(places)}, std::move(inputs));
}

NodeRef make_operator(DType dtype, Dims shape, std::shared_ptr<const Operator> op, std::vector<NodeRef> inputs) {
  count(shape);
  return std::make_shared<Node>(dtype, std::move(shape), Operate{std::move(op)}, std::move(inputs));
}

}  // namespace penstock::graph
