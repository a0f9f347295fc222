// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/dot.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "penstock/memory/buffer.h"
#include "penstock/run/packed.h"
#include "penstock/run/tile.h"
#include "penstock/run/tuning.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kMostElement = 16;  // bytes

struct Node {
  alignas(16) std::byte bytes[kMostElement];
};

/// What a dot product needs of its dtype.
struct Tools {
  explicit Tools(DType dtype)
      : kernel(kernel::table().product[index_of(dtype)]),
        pack(kernel::table().pack[log2_size(dtype)]),
        size(size_of(dtype)),
        chunk(kernel::lanes_of(dtype) * kernel::kLeafGroups * kernel::kDotLeaves) {}

  const kernel::Product& kernel;
  kernel::Pack pack;
  std::int64_t size;
  std::int64_t chunk;  // elements of one call of the kernel
};

/// Adds nodes that come in order as a binary tree.
class Tree {
 public:
  explicit Tree(const kernel::Product& kernel) : kernel_(kernel) {}

  void push(const Node& node) {
    nodes_[depth_++] = node;
    ++count_;
    for (std::int64_t n = count_; n % 2 == 0; n /= 2) merge();
  }
  /// The sum; there is at least one node.
  const Node& close() {
    while (depth_ > 1) merge();
    return nodes_[0];
  }

 private:
  void merge() {
    --depth_;
    kernel_.merge(nodes_[depth_ - 1].bytes, nodes_[depth_].bytes);
  }

  const kernel::Product& kernel_;
  Node nodes_[64];
  int depth_ = 0;
  std::int64_t count_ = 0;
};

constexpr std::int64_t kMostChunk = 32 << 10;  // bytes

/// Where elements are packed that do not lie side by side.
struct Room {
  alignas(64) std::byte x[kMostChunk];
  alignas(64) std::byte y[kMostChunk];
};

const std::byte* beside(const Tools& tools, const Vector& v, std::int64_t first, std::int64_t n, std::byte* room) {
  const std::byte* from = v.data + first * v.stride;
  const bool aligned = reinterpret_cast<std::uintptr_t>(from) % static_cast<std::uintptr_t>(tools.size) == 0;
  if (v.stride == tools.size && (aligned || tools.size == kMostElement)) return from;
  tools.pack(from, v.stride, room, n);
  return room;
}

/// The node over elements [first, end), `first` at a multiple of a power of two of chunks that is no smaller.
Node node_of(const Tools& tools, const Vector& x, const Vector& y, std::int64_t first, std::int64_t end) {
  Room room;
  Tree tree(tools.kernel);
  for (; first < end; first += tools.chunk) {
    const std::int64_t n = std::min(tools.chunk, end - first);
    Node node;
    tools.kernel.dot(beside(tools, x, first, n, room.x), beside(tools, y, first, n, room.y), n, node.bytes);
    tree.push(node);
  }
  return tree.close();
}

/// Puts the sum of blocks into out, from left to right.
void put_block(const Tools& tools, const Node& node, std::byte* out, bool add) {
  if (add)
    tools.kernel.merge(out, node.bytes);
  else
    std::memcpy(out, node.bytes, static_cast<std::size_t>(tools.size));
}

void dot_alone(const Tools& tools, const Vector& x, const Vector& y, std::int64_t n, std::byte* out, bool add) {
  for (std::int64_t first = 0; first < n; first += kDotBlock, add = true)
    put_block(tools, node_of(tools, x, y, first, std::min(first + kDotBlock, n)), out, add);
}

void dot_shared(const Tools& tools, const Vector& x, const Vector& y, std::int64_t n, std::byte* out, bool add,
                const Crew& crew) {
  // Some pieces for each thread, whole subtrees of the tree.
  std::int64_t piece = kDotBlock;
  while (piece > tools.chunk && n / piece < 8 * crew.threads) piece /= 2;
  std::vector<Node> nodes(static_cast<std::size_t>((n + piece - 1) / piece));
  share(crew, std::ssize(nodes), [&](int, std::int64_t i) {
    nodes[static_cast<std::size_t>(i)] = node_of(tools, x, y, i * piece, std::min((i + 1) * piece, n));
  });
  const std::int64_t pieces = kDotBlock / piece;
  for (std::int64_t first = 0; first < std::ssize(nodes); first += pieces, add = true) {
    Tree tree(tools.kernel);
    for (std::int64_t i = first; i < std::min(first + pieces, std::ssize(nodes)); ++i)
      tree.push(nodes[static_cast<std::size_t>(i)]);
    put_block(tools, tree.close(), out, add);
  }
}

/// Rows whose elements lie side by side across them: some rows at once are turned, so that a line of the cache that is
/// read serves all of them.
void dot_turned(const Tools& tools, std::int64_t rows, std::int64_t k, const Matrix& a, const Vector& x, std::byte* out,
                std::int64_t stride, std::byte* room) {
  const kernel::Transpose turn = kernel::table().transpose[log2_of(tools.size)];
  for (std::int64_t block = 0; block < k; block += kDotBlock) {
    std::vector<Tree> trees(static_cast<std::size_t>(rows), Tree(tools.kernel));
    const std::int64_t end = std::min(block + kDotBlock, k);
    for (std::int64_t first = block; first < end; first += tools.chunk) {
      const std::int64_t n = std::min(tools.chunk, end - first);
      turn(a.data + first * a.column_stride, a.column_stride, room, n * tools.size, rows, n);
      for (std::int64_t i = 0; i < rows; ++i) {
        Node node;
        tools.kernel.dot(room + i * n * tools.size, x.data + first * tools.size, n, node.bytes);
        trees[static_cast<std::size_t>(i)].push(node);
      }
    }
    for (std::int64_t i = 0; i < rows; ++i)
      put_block(tools, trees[static_cast<std::size_t>(i)].close(), out + i * stride, block > 0);
  }
}

}  // namespace

void dot(DType dtype, const Vector& x, const Vector& y, std::int64_t n, std::byte* out, bool add, const Crew& crew) {
  const Tools tools(dtype);
  if (n == 0 && !add) std::memset(out, 0, static_cast<std::size_t>(tools.size));
  // Two operands keep the memory of a thread as busy as arithmetic does, and a reduction of one does not.
  const int workers = workers_for(2 * n * tools.size, crew.threads, OpClass::kArithmetic);
  if (workers <= 1 && n <= kDotBlock)
    dot_alone(tools, x, y, n, out, add);
  else
    dot_shared(tools, x, y, n, out, add, {workers, crew.tick});
}

void dot_rows(DType dtype, std::int64_t m, std::int64_t k, const Matrix& a, const Vector& x, std::byte* out,
              std::int64_t stride, const Crew& crew) {
  if (m == 1) return dot(dtype, {a.data, a.column_stride}, x, k, out, false, crew);
  const Tools tools(dtype);
  if (k == 0) {
    for (std::int64_t i = 0; i < m; ++i) std::memset(out + i * stride, 0, static_cast<std::size_t>(tools.size));
    return;
  }
  // The vector is read by every row: packed once.
  memory::Buffer packed;
  Vector dense = x;
  if (x.stride != tools.size ||
      reinterpret_cast<std::uintptr_t>(x.data) % static_cast<std::uintptr_t>(tools.size) != 0) {
    packed = memory::Buffer::allocate(k * tools.size, "the vector of a product");
    tools.pack(x.data, x.stride, packed.data(), k);
    dense = {packed.data(), tools.size};
  }
  const int workers = workers_for(m * k * tools.size, crew.threads, OpClass::kReduction);
  const bool turned = a.column_stride != tools.size && a.row_stride == tools.size;
  const std::int64_t group =
      turned ? 64 / std::min<std::int64_t>(tools.size, 8) : std::max<std::int64_t>(1, (64 << 10) / (k * tools.size));
  std::vector<memory::Buffer> rooms;
  for (int i = 0; turned && i < workers; ++i)
    rooms.push_back(memory::Buffer::allocate(group * tools.chunk * tools.size, "turned rows of a product"));
  share({workers, crew.tick}, (m + group - 1) / group, [&](int worker, std::int64_t g) {
    const std::int64_t first = g * group;
    const std::int64_t rows = std::min(group, m - first);
    const Matrix part{a.data + first * a.row_stride, a.row_stride, a.column_stride};
    if (turned) {
      dot_turned(tools, rows, k, part, dense, out + first * stride, stride,
                 rooms[static_cast<std::size_t>(worker)].data());
      return;
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      dot_alone(tools, {part.data + i * a.row_stride, a.column_stride}, dense, k, out + (first + i) * stride, false);
    }
  });
}

}  // namespace penstock::run
