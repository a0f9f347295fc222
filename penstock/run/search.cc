// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/search.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "penstock/kernel/sort.h"
#include "penstock/memory/buffer.h"
#include "penstock/memory/pool.h"
#include "penstock/run/crew.h"
#include "penstock/run/lines.h"
#include "penstock/run/packed.h"
#include "penstock/run/rooms.h"
#include "penstock/run/tuning.h"

namespace penstock::run {
namespace {

using graph::Lease;
using graph::Leases;
using graph::Step;

constexpr std::int64_t kPlace = 8;          // bytes
constexpr std::int64_t kPiece = 16 << 10;   // elements that a thread looks up at once
constexpr std::int64_t kWindow = 64 << 10;  // bytes of sorted elements: narrower, windows are not tried

/// out[i] becomes true where q[i] is the one of n sorted elements that `before[i]` of them lie before.
void mark_members(DType dtype, const std::byte* sorted_, std::int64_t n, const std::byte* q_, std::int64_t count,
                  const std::int64_t* before, bool* out) {
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_arithmetic_v<T>) {
      const T* sorted = reinterpret_cast<const T*>(sorted_);
      const T* q = reinterpret_cast<const T*>(q_);
      for (std::int64_t i = 0; i < count; ++i) out[i] |= before[i] < n && sorted[before[i]] == q[i];
    }
  });
}

class Search final : public graph::Operator {
 public:
  Search(DType dtype, std::int64_t n, std::int64_t count, Sought sought)
      : dtype_(dtype), n_(n), count_(count), sought_(sought) {}

  std::string text() const override { return sought_ == Sought::kWhether ? "isin" : "searchsorted"; }

  std::vector<Step> steps(std::int64_t bytes) const override {
    const std::int64_t size = size_of(dtype_);
    const std::int64_t each = size + kPlace;
    const bool whole = n_ * size + kPiece * each <= bytes || n_ * size <= kWindow;
    const std::int64_t window = whole ? n_ : std::max(bytes / 2, kWindow) / size;
    const std::int64_t queries = (bytes - std::min(window, n_) * size) / each;
    std::vector<Step> steps;
    cut(count_, std::max(queries, kPiece), [&](Range q) {
      cut(n_, window, [&](Range n) {
        steps.push_back({{{q.begin}, {q.size()}}, {{{n.begin}, {n.size()}}, {{q.begin}, {q.size()}}}, n.begin == 0});
      });
    });
    return steps;
  }

  std::int64_t scratch_bytes(const Step& step, int threads) const override {
    const auto side = [&](const graph::Box& box) { return memory::pool_capacity(count(box.shape) * size_of(dtype_)); };
    return side(step.inputs[0]) + side(step.inputs[1]) + rooms_bytes(threads, kPiece * kPlace);
  }

  void compute(const Step& step, const Leases& leases) const override {
    const std::int64_t n = step.inputs[0].shape[0];
    const std::int64_t count = step.output.shape[0];
    memory::Buffer sides[2];
    const std::byte* sorted = beside(leases.inputs[0], n, sides[0]);
    const std::byte* q = beside(leases.inputs[1], count, sides[1]);
    const int threads = workers_for(20 * count * kPlace, leases.threads, OpClass::kMaths);
    const std::vector<memory::Buffer> rooms = rooms_for(threads, kPiece * kPlace, "places of what is looked up");
    share({threads, &leases.tick}, (count + kPiece - 1) / kPiece, [&](int worker, std::int64_t piece) {
      const std::int64_t first = piece * kPiece;
      look_up({sorted, n, q + first * size_of(dtype_), std::min(kPiece, count - first)}, step.first,
              reinterpret_cast<std::int64_t*>(rooms[static_cast<std::size_t>(worker)].data()),
              leases.output.data + first * (sought_ == Sought::kWhether ? 1 : kPlace));
    });
  }

 private:
  struct Piece {
    const std::byte* sorted;
    std::int64_t n;
    const std::byte* q;
    std::int64_t count;
  };

  /// What a window tells of a piece is added to what windows before it told.
  void look_up(const Piece& piece, bool first, std::int64_t* room, std::byte* to) const {
    const auto search = [&](std::int64_t* out) {
      kernel::search(dtype_, piece.sorted, piece.n, piece.q, piece.count, sought_ == Sought::kUpTo, piece.n < n_, out);
    };
    auto* counts = reinterpret_cast<std::int64_t*>(to);
    if (sought_ != Sought::kWhether && first) return search(counts);
    search(room);
    if (sought_ == Sought::kWhether) {
      if (first) std::memset(to, 0, static_cast<std::size_t>(piece.count));
      mark_members(dtype_, piece.sorted, piece.n, piece.q, piece.count, room, reinterpret_cast<bool*>(to));
    } else {
      for (std::int64_t i = 0; i < piece.count; ++i) counts[i] += room[i];
    }
  }

  const std::byte* beside(const Lease& lease, std::int64_t n, memory::Buffer& room) const {
    const std::int64_t size = size_of(dtype_);
    const std::int64_t across = lease.layout.strides[0];
    if (!side_by_side(lease.data, across, size)) room = memory::Buffer::allocate(n * size, "elements side by side");
    return packed(lease.data, across, size, n, room.data());
  }

  DType dtype_;
  std::int64_t n_;
  std::int64_t count_;
  Sought sought_;
};

}  // namespace

std::shared_ptr<const graph::Operator> make_search(DType dtype, std::int64_t n, std::int64_t count, Sought sought) {
  return std::make_shared<Search>(dtype, n, count, sought);
}

}  // namespace penstock::run
