// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/select.h"

#include <algorithm>
#include <cstring>

#include "penstock/kernel/select.h"
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
using kernel::Digit;
using kernel::kSelectCopies;

constexpr std::int64_t kPiece = 16 << 10;                     // elements that a thread counts at once
constexpr std::int64_t kFew = 4 << 10;                        // elements of a row that are picked from directly
constexpr std::int64_t kLeastShared = 128 << 10;              // elements of a row that several threads count together
constexpr std::int64_t kMostCounted = std::int64_t{1} << 31;  // elements of a step: counts are 32 bits
constexpr std::int64_t kMostApart = 64 << 10;                 // bins that each thread counts for itself
constexpr int kNarrow = 11;                                   // bits: counts that stay in L1
constexpr int kWide = 16;                                     // bits: fewer passes over a file

std::vector<Digit> digits_of(int key_bits, int width) {
  std::vector<Digit> digits;
  for (int left = key_bits; left > 0;) {
    const int bits = std::min(width, left);
    left -= bits;
    digits.push_back({left, bits});
  }
  return digits;
}

/// How far the search for a row's elements has come. It lies in plain memory that begins as zeros, to be handed on.
class Search {
 public:
  static std::int64_t bytes(std::int64_t ranks, int width) {
    const std::int64_t values = std::int64_t{1} << width;
    return 8 * (kHead + 3 * ranks + ranks * values) + 4 * values;
  }

  Search(std::byte* memory, const std::vector<std::int64_t>& ranks, int width)
      : ranks_(std::ssize(ranks)), values_(std::int64_t{1} << width), head_(reinterpret_cast<std::int64_t*>(memory)) {
    if (prefixes() == 0) {
      std::copy(ranks.begin(), ranks.end(), left());
      head_[1] = 1;
    }
  }

  std::int64_t& level() { return head_[0]; }
  std::int64_t& prefixes() { return head_[1]; }
  std::int64_t& nan() { return head_[2]; }
  std::int64_t* left() { return head_ + kHead; }  // of each rank, what is left of it among keys of its prefix
  std::uint64_t* key() { return reinterpret_cast<std::uint64_t*>(left() + ranks_); }  // of each rank, as far as known
  std::uint64_t* prefix() { return key() + ranks_; }
  std::int64_t* counts() { return reinterpret_cast<std::int64_t*>(prefix() + ranks_); }
  std::int32_t* first() { return reinterpret_cast<std::int32_t*>(counts() + ranks_ * values_); }

  kernel::Prefixes view(int top_shift) { return {prefix(), prefixes(), first(), top_shift}; }

  /// Another digit of each rank's key, from the counts; then what is counted next. `top_shift`: of digit 0.
  void resolve(Digit digit, int top_shift) {
    const std::int64_t values = digit.values();
    for (std::int64_t j = 0; j < ranks_; ++j) {
      const std::int64_t k = std::lower_bound(prefix(), prefix() + prefixes(), key()[j]) - prefix();
      const std::int64_t* counted = counts() + k * values;
      std::int64_t value = 0;
      while (left()[j] >= counted[value]) left()[j] -= counted[value++];
      key()[j] = key()[j] << digit.bits | static_cast<std::uint64_t>(value);
    }
    std::memset(counts(), 0, static_cast<std::size_t>(8 * prefixes() * values));
    // Ranks ascend, and so do their keys.
    prefixes() = std::unique_copy(key(), key() + ranks_, prefix()) - prefix();
    std::fill_n(first(), values_, -1);
    for (std::int64_t k = prefixes(); k-- > 0;)
      first()[prefix()[k] >> (top_shift - digit.shift)] = static_cast<std::int32_t>(k);
    ++level();
  }

 private:
  static constexpr std::int64_t kHead = 3;

  std::int64_t ranks_;
  std::int64_t values_;
  std::int64_t* head_;
};

struct Row {
  const std::byte* data;
  std::int64_t stride;  // bytes
  std::int64_t n;
};

class Select final : public graph::Operator {
 public:
  Select(DType dtype, std::int64_t rows, std::int64_t n, std::vector<std::int64_t> ranks, bool poison)
      : dtype_(dtype),
        rows_(rows),
        n_(n),
        ranks_(std::move(ranks)),
        poison_(poison && kind_of(dtype) == Kind::kFloat),
        kernel_(*kernel::selecting_of(dtype)),
        narrow_(digits_of(kernel_.key_bits, kNarrow)),
        wide_(digits_of(kernel_.key_bits, kWide)) {}

  std::string text() const override { return "order statistics"; }

  std::vector<Step> steps(std::int64_t bytes) const override {
    const std::int64_t row = std::max<std::int64_t>((n_ + count()) * size_of(dtype_), 1);
    std::vector<Step> steps;
    if (row <= bytes && n_ <= kMostCounted) {
      cut(rows_, std::min(bytes / row, kMostCounted / std::max<std::int64_t>(n_, 1)), [&](Range rows) {
        steps.push_back({box(rows, {0, count()}), {box(rows, {0, n_})}, true});
      });
      return steps;
    }
    const std::int64_t piece = std::clamp<std::int64_t>(bytes / size_of(dtype_), kPiece, kMostCounted);
    cut(rows_, 1, [&](Range rows) {
      for (std::size_t level = 0; level < wide_.size(); ++level) {
        cut(n_, piece, [&](Range part) {
          const bool first = level == 0 && part.begin == 0;
          steps.push_back({box(rows, {0, count()}), {box(rows, part)}, first});
        });
      }
    });
    return steps;
  }

  std::int64_t state_bytes(const std::vector<Step>& steps) const override {
    return steps.empty() || whole(steps[0]) ? 0 : Search::bytes(count(), kWide);
  }

  std::int64_t scratch_bytes(const Step& step, int threads) const override {
    const std::int64_t room = memory::pool_capacity(room_bytes(whole(step) ? kNarrow : kWide));
    const std::int64_t search = whole(step) ? memory::pool_capacity(Search::bytes(count(), kNarrow)) : 0;
    return threads * (room + search);
  }

  void compute(const Step& step, const Leases& leases) const override {
    if (rows_ == 0 || ranks_.empty()) return;
    const std::int64_t rows = step.output.shape[0];
    const Lease& x = leases.inputs[0];
    const auto row = [&](std::int64_t i) {
      return Row{x.data + i * x.layout.strides[0], x.layout.strides[1], step.inputs[0].shape[1]};
    };
    const auto to = [&](std::int64_t i) { return leases.output.data + i * leases.output.layout.strides[0]; };
    const int threads = workers_for(8 * rows * row(0).n * size_of(dtype_), leases.threads, OpClass::kMaths);
    const Crew crew{threads, &leases.tick};
    if (!whole(step)) return part(step, leases, row(0), to(0), crew);
    const bool together = threads > 1 && n_ >= kLeastShared && rows < 2 * threads;
    std::vector<memory::Buffer> rooms = rooms_for(threads, room_bytes(kNarrow), "room of order statistics");
    std::vector<memory::Buffer> searches =
        rooms_for(threads, Search::bytes(count(), kNarrow), "room of order statistics");
    const Crew alone{1, &leases.tick};
    if (together) {
      for (std::int64_t i = 0; i < rows; ++i) search_row(row(i), to(i), crew, rooms.data(), searches[0]);
      return;
    }
    const std::int64_t group = std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(n_, 1));
    share(crew, (rows + group - 1) / group, [&](int worker, std::int64_t g) {
      const auto own = static_cast<std::size_t>(worker);
      for (std::int64_t i = g * group; i < std::min(rows, (g + 1) * group); ++i) {
        if (n_ <= kFew)
          pick_row(row(i), to(i), rooms[own]);
        else
          search_row(row(i), to(i), alone, &rooms[own], searches[own]);
      }
    });
  }

 private:
  static graph::Box box(Range rows, Range part) { return {{rows.begin, part.begin}, {rows.size(), part.size()}}; }

  std::int64_t count() const { return std::ssize(ranks_); }
  bool whole(const Step& step) const { return step.inputs[0].shape[1] == n_; }

  /// A thread's counts, and room for elements side by side and for their keys.
  std::int64_t counts_bytes(int width) const { return 4 * (std::max(count(), kSelectCopies) << width); }
  std::int64_t room_bytes(int width) const { return counts_bytes(width) + 2 * kPiece * size_of(dtype_); }

  const std::byte* beside(const Row& x, std::byte* room) const {
    return packed(x.data, x.stride, size_of(dtype_), x.n, room);
  }

  void finish(Search& search, std::byte* out) const {
    for (std::int64_t j = 0; j < count(); ++j) {
      const std::uint64_t key = poison_ && search.nan() != 0 ? ~std::uint64_t{0} : search.key()[j];
      kernel_.value(key, out + j * size_of(dtype_));
    }
  }

  void pick_row(const Row& x, std::byte* out, const memory::Buffer& room) const {
    std::byte* keys = room.data() + kPiece * size_of(dtype_);
    const bool nan = kernel_.pick(beside(x, room.data()), x.n, ranks_.data(), count(), keys, out);
    for (std::int64_t j = 0; nan && poison_ && j < count(); ++j)
      kernel_.value(~std::uint64_t{0}, out + j * size_of(dtype_));
  }

  void search_row(const Row& x, std::byte* out, const Crew& crew, memory::Buffer* rooms,
                  const memory::Buffer& memory) const {
    std::memset(memory.data(), 0, static_cast<std::size_t>(Search::bytes(count(), kNarrow)));
    Search search(memory.data(), ranks_, kNarrow);
    for (const Digit digit : narrow_) {
      count_digit(x, digit, narrow_[0].shift, search, crew, rooms, kNarrow);
      search.resolve(digit, narrow_[0].shift);
    }
    finish(search, out);
  }

  /// One piece of a row, for the digit that it is the turn of.
  void part(const Step& step, const Leases& leases, const Row& x, std::byte* out, const Crew& crew) const {
    if (step.first) std::memset(leases.state, 0, static_cast<std::size_t>(Search::bytes(count(), kWide)));
    Search search(leases.state, ranks_, kWide);
    std::vector<memory::Buffer> rooms = rooms_for(crew.threads, room_bytes(kWide), "room of order statistics");
    const Digit digit = wide_[static_cast<std::size_t>(search.level())];
    count_digit(x, digit, wide_[0].shift, search, crew, rooms.data(), kWide);
    if (step.inputs[0].begin[1] + x.n < n_) return;
    search.resolve(digit, wide_[0].shift);
    if (search.level() == std::ssize(wide_)) finish(search, out);
  }

  void count_digit(const Row& x, Digit digit, int top_shift, Search& search, const Crew& crew, memory::Buffer* rooms,
                   int width) const {
    const bool top = search.level() == 0;
    const std::int64_t copies = top ? kSelectCopies : search.prefixes();
    const std::int64_t values = digit.values();
    const auto counts = [&](int worker) { return reinterpret_cast<std::uint32_t*>(rooms[worker].data()); };
    for (int worker = 0; worker < crew.threads; ++worker)
      std::memset(counts(worker), 0, static_cast<std::size_t>(4 * copies * values));
    std::vector<char> nan(static_cast<std::size_t>(crew.threads), 0);
    const kernel::Prefixes prefixes = search.view(top_shift);
    share(crew, (x.n + kPiece - 1) / kPiece, [&](int worker, std::int64_t piece) {
      const std::int64_t first = piece * kPiece;
      const Row part{x.data + first * x.stride, x.stride, std::min(kPiece, x.n - first)};
      const std::byte* elements = beside(part, rooms[worker].data() + counts_bytes(width));
      if (!top)
        kernel_.count_below(elements, part.n, digit, prefixes, counts(worker));
      else if (kernel_.count_top(elements, part.n, digit, counts(worker)))
        nan[static_cast<std::size_t>(worker)] = 1;
    });
    for (int worker = 0; worker < crew.threads; ++worker) {
      if (nan[static_cast<std::size_t>(worker)] != 0) search.nan() = 1;
      for (std::int64_t i = 0; i < copies * values; ++i) search.counts()[top ? i % values : i] += counts(worker)[i];
    }
  }

  DType dtype_;
  std::int64_t rows_;
  std::int64_t n_;
  std::vector<std::int64_t> ranks_;
  bool poison_;
  const kernel::Selecting& kernel_;
  std::vector<Digit> narrow_;
  std::vector<Digit> wide_;
};

class BinSums final : public graph::Operator {
 public:
  BinSums(std::int64_t n, std::int64_t bins, bool weighted) : n_(n), bins_(bins), weighted_(weighted) {}

  std::string text() const override { return weighted_ ? "sums of bins" : "counts of bins"; }

  std::vector<Step> steps(std::int64_t bytes) const override {
    const std::int64_t each = weighted_ ? 16 : 8;
    std::vector<Step> steps;
    cut(n_, std::max((bytes - bins_ * 8) / each, kPiece), [&](Range part) {
      const graph::Box box{{part.begin}, {part.size()}};
      steps.push_back({graph::whole({bins_}), std::vector<graph::Box>(weighted_ ? 2 : 1, box), part.begin == 0});
    });
    return steps;
  }

  std::int64_t scratch_bytes(const Step& /*step*/, int threads) const override {
    return counted_apart() ? memory::pool_capacity(threads * bins_ * 8) : 0;
  }

  void compute(const Step& step, const Leases& leases) const override {
    std::byte* out = leases.output.data;
    const std::int64_t n = step.inputs[0].shape[0];
    if (step.first) std::memset(out, 0, static_cast<std::size_t>(bins_ * 8));
    const int threads = counted_apart() ? workers_for(4 * n * 8, leases.threads, OpClass::kReduction) : 1;
    const Crew crew{threads, &leases.tick};
    const auto piece = [&](std::byte* to, std::int64_t i) {
      add({i * kPiece, std::min(n, (i + 1) * kPiece)}, leases, to);
    };
    const std::int64_t pieces = (n + kPiece - 1) / kPiece;
    if (threads < 2) return share(crew, pieces, [&](int, std::int64_t i) { piece(out, i); });
    const memory::Buffer room = memory::Buffer::allocate(threads * bins_ * 8, "counts of a thread each");
    std::memset(room.data(), 0, static_cast<std::size_t>(threads * bins_ * 8));
    share(crew, pieces, [&](int worker, std::int64_t i) { piece(room.data() + worker * bins_ * 8, i); });
    const auto* counts = reinterpret_cast<const std::int64_t*>(room.data());
    for (std::int64_t i = 0; i < threads * bins_; ++i) reinterpret_cast<std::int64_t*>(out)[i % bins_] += counts[i];
  }

 private:
  /// Counts come out the same in any order, sums of floats do not: one thread adds them up.
  bool counted_apart() const { return !weighted_ && bins_ <= kMostApart; }

  void add(Range part, const Leases& leases, std::byte* out) const {
    const Elements<std::int64_t> places(leases.inputs[0]);
    const std::int64_t bins = bins_;
    if (weighted_) {
      const Elements<double> weights(leases.inputs[1]);
      auto* sums = reinterpret_cast<double*>(out);
      for (std::int64_t i = part.begin; i < part.end; ++i) {
        if (const std::int64_t place = places[i]; place >= 0 && place < bins) sums[place] += weights[i];
      }
    } else {
      auto* counts = reinterpret_cast<std::int64_t*>(out);
      for (std::int64_t i = part.begin; i < part.end; ++i) {
        if (const std::int64_t place = places[i]; place >= 0 && place < bins) ++counts[place];
      }
    }
  }

  /// What is lent, read wherever it lies.
  template <class T>
  struct Elements {
    explicit Elements(const Lease& lease) : data(lease.data), stride(lease.layout.strides[0]) {}
    T operator[](std::int64_t i) const {
      T value;
      std::memcpy(&value, data + i * stride, sizeof value);
      return value;
    }
    const std::byte* data;
    std::int64_t stride;
  };

  std::int64_t n_;
  std::int64_t bins_;
  bool weighted_;
};

}  // namespace

std::shared_ptr<const graph::Operator> make_select(DType dtype, std::int64_t rows, std::int64_t n,
                                                   std::vector<std::int64_t> ranks, bool poison) {
  return std::make_shared<Select>(dtype, rows, n, std::move(ranks), poison);
}

std::shared_ptr<const graph::Operator> make_bin_sums(std::int64_t n, std::int64_t bins, bool weighted) {
  return std::make_shared<BinSums>(n, bins, weighted);
}

}  // namespace penstock::run
