// SPDX-License-Identifier: Apache-2.0
// Lazy expressions: a node is an operation on other nodes, with a dtype and a shape known when it is made.
//
// Nodes are immutable but for one step: when evaluated, a node takes its result and drops its inputs. That step and
// every walk over inputs happen under graph_mutex(); dtype and shape never change and need no lock, and neither does a
// node that in_memory() finds evaluated.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "penstock/graph/operator.h"
#include "penstock/memory/buffer.h"
#include "penstock/op/ops.h"
#include "penstock/store/file_source.h"
#include "penstock/type/dtype.h"
#include "penstock/type/shape.h"

namespace penstock::graph {

struct Node;
using NodeRef = std::shared_ptr<Node>;

/// One element of some dtype, as bytes.
struct Scalar {
  DType dtype = DType::k_float64;
  alignas(16) std::byte bytes[16] = {};

  template <class T>
  static Scalar of(T value) {
    Scalar s;
    s.dtype = kDTypeOf<T>;
    std::memcpy(s.bytes, &value, sizeof value);
    return s;
  }
  bool operator==(const Scalar& other) const {
    return dtype == other.dtype && std::memcmp(bytes, other.bytes, sizeof bytes) == 0;
  }
};

/// Elements in memory: evaluated results, and arrays borrowed from NumPy.
struct InMemory {
  std::shared_ptr<memory::Memory> memory;
  Layout layout;  // offset from memory->data()
};

/// Elements in a file; the node's dtype is the file's (of bool files uint8).
struct InFile {
  std::shared_ptr<store::FileSource> file;
  Layout layout;  // offset in the file
};

/// The same value everywhere.
struct Constant {
  Scalar value;
};

/// start + i * delta for the C-order index i.
struct Iota {
  Scalar start;
  Scalar delta;
};

struct Elementwise {
  Op op;
  DType compute;
};

/// The input converted to the node's dtype.
struct CastTo {};

/// The input's elements in another arrangement.
struct View {
  enum class Type : std::uint8_t { kIndex, kPermute, kBroadcast, kFlip, kReshape };
  Type type;
  std::vector<Index> indices;  // kIndex
  std::vector<int> axes;       // kPermute, kFlip
  Dims shape;                  // kBroadcast, kReshape

  /// The view of a layout; nothing for a reshape that strides can't express.
  std::optional<Layout> of(const Layout& in) const;
};

struct Reduce {
  Reduction reduction;
  std::vector<int> axes;  // normalised, sorted
};

/// Counts of the input's elements (float64) between ascending edges; int64, one a bin.
struct Histogram {
  std::vector<double> edges;
  double scale = 0;  // bins / (last - first) for evenly spaced edges, else 0
};

/// Input i fills the part places[i] of the output; later inputs win. Concatenation, roll and assignment to a part.
struct Pieces {
  std::vector<std::vector<Index>> places;
};

/// What graph/operator.h describes, of all inputs.
struct Operate {
  std::shared_ptr<const Operator> op;
};

using Content =
    std::variant<InMemory, InFile, Constant, Iota, Elementwise, CastTo, View, Reduce, Histogram, Pieces, Operate>;

struct Node {
  Node(DType dtype_, Dims shape_, Content content_, std::vector<NodeRef> inputs_ = {});
  Node(DType dtype_, InMemory&& elements);  // of the layout's shape
  /// Of a vector the part of so many elements, `stride` bytes apart from `offset` on.
  Node(DType dtype_, const InMemory& vector, std::int64_t extent, std::int64_t stride, std::int64_t offset);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const DType dtype;
  const Dims shape;
  std::atomic<int> depth;  // longest chain of unevaluated nodes ending here, counted when it was made; 0 once evaluated

  // Guarded by graph_mutex().
  Content content;
  std::vector<NodeRef> inputs;
  std::atomic<bool> settled;  // the content is InMemory, for good
  int running = 0;  // fork_generation() of the process in which an evaluation of this node is under way; 0: none is

  std::int64_t size() const { return count(shape); }
  std::int64_t bytes() const { return checked_mul(size(), size_of(dtype), "bytes of the array"); }

  template <class C>
  const C* as() const {
    return std::get_if<C>(&content);
  }

  /// The elements of a node that holds them itself; null for all others. Needs no lock.
  const InMemory* in_memory() const { return settled.load(std::memory_order_acquire) ? as<InMemory>() : nullptr; }
  /// The one step. The caller holds graph_mutex(), and takes the inputs away.
  void settle(InMemory elements);
};

/// Guards the nodes of all graphs. A fork waits for it, so that a child never finds it locked.
std::mutex& graph_mutex();

/// Around the writing of a result over an operand's elements. A fork waits for its end: a child never finds half of
/// one. False while a fork waits, and nothing is to be written then. The caller holds graph_mutex().
bool begin_rewrite();
void end_rewrite();

/// Whether the node's elements lie in memory now: InMemory, or views of it that strides express. Its layout then.
std::optional<InMemory> resident(const Node& node);

/// Text of the node's operation for messages and plans: "add", "sum over (0, 1)", "photos.npy".
std::string node_text(const Node& node);

// Makers. Each checks its operands now, at the caller's line, through op/infer.h.
NodeRef make_memory(DType dtype, std::shared_ptr<memory::Memory> memory, Layout layout);
/// Of the file's dtype.
NodeRef make_file(std::shared_ptr<store::FileSource> file);
NodeRef make_constant(Scalar value, Dims shape);
NodeRef make_iota(Scalar start, Scalar delta, Dims shape);
NodeRef make_cast(const NodeRef& in, DType dtype);
NodeRef make_elementwise(Op op, std::vector<NodeRef> operands);
NodeRef make_view(const NodeRef& in, View view);
NodeRef make_reduce(Reduction reduction, const NodeRef& in, const std::vector<int>& axes, bool keepdims);
NodeRef make_histogram(const NodeRef& in, std::vector<double> edges, double scale);
NodeRef make_pieces(DType dtype, Dims shape, std::vector<NodeRef> inputs, std::vector<std::vector<Index>> places);
/// The operator's maker has checked the operands, and that they give this dtype and shape.
NodeRef make_operator(DType dtype, Dims shape, std::shared_ptr<const Operator> op, std::vector<NodeRef> inputs);

}  // namespace penstock::graph
