// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/sort.h"

#include <vector>

#include "penstock/kernel/sort.h"
#include "penstock/memory/buffer.h"
#include "penstock/memory/pool.h"
#include "penstock/run/crew.h"
#include "penstock/run/key_sort.h"
#include "penstock/run/lines.h"
#include "penstock/run/packed.h"
#include "penstock/run/sort_passes.h"
#include "penstock/run/tuning.h"

namespace penstock::run {
namespace {

using graph::Lease;
using graph::Leases;
using graph::Step;

constexpr std::int64_t kPlace = 8;               // bytes
constexpr std::int64_t kPiece = 16 << 10;        // elements that a thread sorts in groups
constexpr std::int64_t kLeastShared = 32 << 10;  // elements of a line that several threads sort together

graph::Box rows_of(Range rows, std::int64_t n) { return {{rows.begin, 0}, {rows.size(), n}}; }

class Sort final : public InPasses {
 public:
  Sort(Sorted what, DType dtype, std::int64_t rows, std::int64_t n, bool descending)
      : what_(what),
        dtype_(dtype),
        rows_(rows),
        n_(n),
        sorting_(what == Sorted::kValues ? kernel::values_of(dtype, descending)
                                         : kernel::places_of(dtype, descending, n)),
        sort_(dtype, sorting_, out_size()) {}

  std::string text() const override { return what_ == Sorted::kValues ? "sort" : "argsort"; }

  std::vector<Step> steps(std::int64_t bytes) const override {
    const std::int64_t row = std::max<std::int64_t>(n_ * (size_of(dtype_) + out_size()), 1);
    std::vector<Step> steps;
    cut(rows_, bytes / row, [&](Range rows) { steps.push_back({rows_of(rows, n_), {rows_of(rows, n_)}, true}); });
    return steps;
  }

  std::int64_t scratch_bytes(const Step& step, int threads) const override {
    const std::int64_t keys = in_place() ? 0 : keys_bytes();
    if (threads_for(step, threads) == 0) return keys + keys_bytes() + packed_bytes();
    return threads * (keys + packed_bytes());
  }

  void compute(const Step& step, const Leases& leases) const override {
    if (n_ == 0) return;
    const Lease& x = leases.inputs[0];
    const auto from = [&](std::int64_t i) { return x.data + i * x.layout.strides[0]; };
    const auto to = [&](std::int64_t i) { return leases.output.data + i * leases.output.layout.strides[0]; };
    const std::int64_t across = x.layout.strides[1];
    const int threads = threads_for(step, leases.threads);
    if (threads == 0) {
      Room room(*this);
      room.merged = room_for_keys();
      for (std::int64_t i = 0; i < step.output.shape[0]; ++i)
        sort_together(from(i), across, to(i), {leases.threads, &leases.tick}, room);
      return;
    }
    std::vector<Room> rooms;
    for (int i = 0; i < threads; ++i) rooms.emplace_back(*this);
    const std::int64_t group = std::max<std::int64_t>(1, kPiece / n_);
    const std::int64_t rows = step.output.shape[0];
    share({threads, &leases.tick}, (rows + group - 1) / group, [&](int worker, std::int64_t g) {
      for (std::int64_t i = g * group; i < std::min(rows, (g + 1) * group); ++i)
        sort_alone(from(i), across, to(i), rooms[static_cast<std::size_t>(worker)]);
    });
  }

  std::int64_t least_bytes() const override { return least_bytes_of_long_sort(line(0), sort_); }

  void compute_in_passes(Access& access) const override {
    for (std::int64_t row = 0; row < rows_; ++row) sort_long_line(line(row), sort_, access);
  }

 private:
  /// Where a row is packed that does not lie side by side, and where its keys are sorted and merged.
  struct Room {
    explicit Room(const Sort& sort)
        : packed(memory::Buffer::allocate(sort.n_ * size_of(sort.dtype_), "a row to be sorted")) {
      if (!sort.in_place()) keys = sort.room_for_keys();
    }
    memory::Buffer packed;
    memory::Buffer keys;
    memory::Buffer merged;
  };

  /// Whether keys have the size of what becomes of them: they are sorted where it is to lie.
  bool in_place() const { return sorting_.sorter.size == out_size(); }
  memory::Buffer room_for_keys() const {
    return memory::Buffer::allocate(n_ * sorting_.sorter.size, "the keys of a sort");
  }
  std::int64_t out_size() const { return what_ == Sorted::kValues ? size_of(dtype_) : kPlace; }
  std::int64_t keys_bytes() const { return memory::pool_capacity(n_ * sorting_.sorter.size); }
  std::int64_t packed_bytes() const { return memory::pool_capacity(n_ * size_of(dtype_)); }

  /// Threads that each sort rows of their own; 0 where all sort a row together.
  int threads_for(const Step& step, int threads) const {
    const std::int64_t rows = step.output.shape[0];
    if (threads > 1 && n_ >= kLeastShared && rows < 2 * threads) return 0;
    // Sorting takes some ten times as long as moving what is sorted.
    return workers_for(10 * rows * n_ * sorting_.sorter.size, threads, OpClass::kMaths);
  }

  /// Where a row's keys are sorted. A caller's memory may lie at any byte.
  std::byte* place_of_keys(std::byte* out, Room& room) const {
    const auto size = static_cast<std::uintptr_t>(sorting_.sorter.size);
    if (in_place() && reinterpret_cast<std::uintptr_t>(out) % size == 0) return out;
    if (room.keys.size() == 0) room.keys = room_for_keys();
    return room.keys.data();
  }

  void sort_alone(const std::byte* x, std::int64_t across, std::byte* out, Room& room) const {
    const std::byte* row = packed(x, across, size_of(dtype_), n_, room.packed.data());
    std::byte* keys = place_of_keys(out, room);
    const bool zeros = sorting_.coding.encode(row, n_, 0, keys);
    sorting_.sorter.sort(keys, n_);
    sorting_.coding.decode(keys, n_, out);
    if (zeros) kernel::restore_zeros(dtype_, row, n_, out);
  }

  void sort_together(const std::byte* x, std::int64_t across, std::byte* out, const Crew& crew, Room& room) const {
    const std::byte* row = packed(x, across, size_of(dtype_), n_, room.packed.data());
    bool zeros = false;
    std::byte* keys = place_of_keys(out, room);
    const std::vector<std::int64_t> runs = sort_.sorted_runs(row, {0, n_}, crew, keys, zeros);
    sort_.decode(sort_.merged(runs, crew, keys, room.merged.data()), n_, crew, out);
    if (zeros) kernel::restore_zeros(dtype_, row, n_, out);
  }

  LongLine line(std::int64_t row) const { return {dtype_, row, n_, out_size()}; }

  Sorted what_;
  DType dtype_;
  std::int64_t rows_;
  std::int64_t n_;
  kernel::Sorting sorting_;
  KeySort sort_;
};

}  // namespace

bool can_sort(DType dtype) { return kernel::sorts(dtype); }

std::shared_ptr<const graph::Operator> make_sort(Sorted what, DType dtype, std::int64_t rows, std::int64_t n,
                                                 bool descending) {
  return std::make_shared<Sort>(what, dtype, rows, n, descending);
}

}  // namespace penstock::run
