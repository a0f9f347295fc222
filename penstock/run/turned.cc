// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/turned.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "penstock/run/runner.h"
#include "penstock/run/tile.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kLine = 64;         // bytes of a cache line
constexpr std::int64_t kColumns = 64;      // of a piece of work: whole cache lines of every row in any dtype
constexpr std::int64_t kLongRun = 1024;    // bytes: runs of the walk from here on are read where they lie
constexpr std::int64_t kMostApart = 512;   // bytes between neighbours along the fast axis: several of them a page
constexpr std::int64_t kTurnedFrom = 256;  // bytes between neighbours of the walk: hardly two of them a cache line

std::int64_t inner_of(const Dims& shape, std::size_t axis) {
  std::int64_t inner = 1;
  for (std::size_t d = axis + 1; d < shape.size(); ++d) inner *= shape[d];
  return inner;
}

/// Part of a stretch that is whole steps of some axis.
struct Box {
  Dims counts;             // steps along each axis
  std::int64_t in = 0;     // byte offset in the file
  std::int64_t first = 0;  // number of its first item in the walk
};

/// Cuts [begin, end) of the items of the axes from `axis` on into boxes.
void cut(const Layout& walk, std::size_t axis, Stretch items, Box at, std::vector<Box>& boxes) {
  if (items.begin >= items.end) return;
  const std::int64_t inner = inner_of(walk.shape, axis);
  const std::int64_t first = (items.begin + inner - 1) / inner;
  const std::int64_t last = items.end / inner;
  const auto step = [&](std::int64_t i) {
    Box box = at;
    box.in += i * walk.strides[axis];
    box.first += i * inner;
    return box;
  };
  if (first > last) {
    cut(walk, axis + 1, {items.begin - last * inner, items.end - last * inner}, step(last), boxes);
    return;
  }
  if (items.begin < first * inner)
    cut(walk, axis + 1, {items.begin - (first - 1) * inner, inner}, step(first - 1), boxes);
  if (first < last) {
    Box box = step(first);
    for (std::size_t d = 0; d < axis; ++d) box.counts.push_back(1);
    box.counts.push_back(last - first);
    for (std::size_t d = axis + 1; d < walk.shape.size(); ++d) box.counts.push_back(walk.shape[d]);
    boxes.push_back(std::move(box));
  }
  cut(walk, axis + 1, {0, items.end - last * inner}, step(last), boxes);
}

/// One box at work: its pieces are all rows of some columns, for one step of every other axis.
class BoxTurner {
 public:
  BoxTurner(const Turning& how, const Box& box, const std::byte* file, std::byte* tile, const PassContext& context)
      : how_(how), box_(box), file_(file + box.in), tile_(tile), context_(context), last_(box.counts.size() - 1) {
    rows_ = box.counts[static_cast<std::size_t>(how.fast)];
    chunks_ = (box.counts[last_] + kColumns - 1) / kColumns;
    const bool power = std::has_single_bit(static_cast<std::uint64_t>(how.item)) && how.item <= 16;
    log2_ = power ? std::countr_zero(static_cast<std::uint64_t>(how.item)) : -1;
    for (std::size_t d = 0; d <= last_; ++d) {
      const std::int64_t inner = inner_of(how.walk.shape, d);
      out_strides_.push_back(inner < how.row ? inner * how.item : inner / how.row * how.row_bytes);
      if (d != last_ && d != static_cast<std::size_t>(how.fast)) others_ *= box.counts[d];
    }
  }

  void run() const {
    constexpr std::int64_t kBatch = 128 << 10;
    const std::int64_t bytes = rows_ * kColumns * how_.item;
    const std::int64_t pieces = others_ * chunks_;
    const std::int64_t batch = std::max<std::int64_t>(1, kBatch / bytes);
    const int workers = workers_for(pieces * bytes, context_.threads, OpClass::kCopy);
    context_.share((pieces + batch - 1) / batch, workers, [&](const auto& next) {
      for (std::int64_t b = next(); b >= 0; b = next()) {
        auto body = [&] {
          for (std::int64_t i = b * batch; i < std::min(pieces, (b + 1) * batch); ++i) piece(i);
        };
        run_guarded(context_, body);
      }
    });
  }

 private:
  void piece(std::int64_t number) const {
    const std::int64_t column = number % chunks_ * kColumns;
    const std::byte* in = file_ + column * how_.walk.strides[last_];
    std::byte* out = tile_ + column * how_.item;
    std::int64_t rest = number / chunks_;
    for (std::size_t d = last_; d-- > 0;) {
      if (d == static_cast<std::size_t>(how_.fast)) continue;
      in += rest % box_.counts[d] * how_.walk.strides[d];
      out += rest % box_.counts[d] * out_strides_[d];
      rest /= box_.counts[d];
    }
    move(in, out, std::min(kColumns, box_.counts[last_] - column));
  }

  void move(const std::byte* in, std::byte* out, std::int64_t columns) const {
    const std::int64_t apart = how_.walk.strides[last_];
    std::int64_t along = how_.walk.strides[static_cast<std::size_t>(how_.fast)];
    std::int64_t out_row = out_strides_[static_cast<std::size_t>(how_.fast)];
    if (along < 0) {  // from the other end
      in += (rows_ - 1) * along;
      out += (rows_ - 1) * out_row;
      along = -along;
      out_row = -out_row;
    }
    const kernel::Table& table = *context_.table;
    if (log2_ >= 0 && along == how_.item) {
      table.transpose[log2_](in, apart, out, out_row, rows_, columns);
      return;
    }
    for (std::int64_t r = 0; r < rows_; ++r) {
      const std::byte* from = in + r * along;
      std::byte* to = out + r * out_row;
      if (log2_ >= 0) {
        table.pack[log2_](from, apart, to, columns);
        continue;
      }
      for (std::int64_t c = 0; c < columns; ++c)
        std::memcpy(to + c * how_.item, from + c * apart, static_cast<std::size_t>(how_.item));
    }
  }

  const Turning& how_;
  const Box& box_;
  const std::byte* file_;
  std::byte* tile_;  // of the box's first item
  const PassContext& context_;
  std::size_t last_;
  std::int64_t rows_ = 1;
  std::int64_t chunks_ = 1;
  std::int64_t others_ = 1;
  int log2_ = -1;
  Dims out_strides_;
};

}  // namespace

ByteRange hull(const Layout& layout, std::int64_t itemsize, Stretch stretch) {
  if (stretch.begin >= stretch.end) return {};
  ByteRange range{layout.offset, layout.offset + itemsize};
  Dims first(layout.shape.size());
  Dims last(layout.shape.size());
  std::int64_t a = stretch.begin;
  std::int64_t b = stretch.end - 1;
  for (std::size_t d = layout.shape.size(); d-- > 0;) {
    first[d] = a % layout.shape[d];
    last[d] = b % layout.shape[d];
    a /= layout.shape[d];
    b /= layout.shape[d];
  }
  // Up to the first axis on which they differ, both ends agree; behind it every index may occur.
  bool same = true;
  for (std::size_t d = 0; d < layout.shape.size(); ++d) {
    const std::int64_t low = (same ? first[d] : 0) * layout.strides[d];
    const std::int64_t high = (same ? last[d] : layout.shape[d] - 1) * layout.strides[d];
    range.begin += std::min(low, high);
    range.end += std::max(low, high);
    same = same && first[d] == last[d];
  }
  return range;
}

bool front_to_back(const Layout& layout, std::int64_t itemsize) {
  const std::int64_t n = layout.size();
  constexpr std::int64_t kProbes = 64;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < kProbes; ++i) {
    const std::int64_t begin = n / kProbes * i;
    sum += hull(layout, itemsize, {begin, i + 1 == kProbes ? n : begin + n / kProbes}).size();
  }
  return sum <= 2 * byte_range(layout, itemsize).size() + 1024 * itemsize;
}

std::int64_t Turning::elements_for(std::int64_t run) const {
  const auto f = static_cast<std::size_t>(fast);
  const std::int64_t steps = std::clamp<std::int64_t>(run / std::abs(walk.strides[f]), 1, walk.shape[f]);
  return steps * row * item_elements;
}

std::int64_t Turning::offset(std::int64_t element) const {
  const std::int64_t number = element / item_elements;
  return number / row * row_bytes + number % row * item;
}

std::int64_t Turning::bytes(Stretch stretch) const {
  return stretch.begin < stretch.end ? offset(stretch.end - 1) + item - start(stretch.begin) : 0;
}

std::int64_t Turning::start(std::int64_t element) const { return offset(element) / kLine * kLine; }

Layout Turning::in_tile(const Dims& shape) const {
  Layout layout{shape, {}, 0};
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::int64_t inner = inner_of(shape, d);
    const std::int64_t elements = row * item_elements;
    layout.strides.push_back(inner < elements ? inner * (item / item_elements) : inner / elements * row_bytes);
  }
  return layout;
}

std::optional<Turning> turning_of(const Layout& walk, std::int64_t itemsize, std::int64_t least) {
  Turning how;
  how.walk = coalesce(walk);
  how.item = itemsize;
  Dims& shape = how.walk.shape;
  Dims& strides = how.walk.strides;
  if (walk.size() == 0 || byte_range(walk, itemsize).size() < least) return std::nullopt;
  if (strides.back() == itemsize && shape.back() * itemsize < kLongRun) {
    how.item_elements = shape.back();
    how.item *= shape.back();
    shape.pop_back();
    strides.pop_back();
  }
  if (shape.size() < 2 || std::count(strides.begin(), strides.end(), 0) != 0) return std::nullopt;
  const auto nearer = [](std::int64_t a, std::int64_t b) { return std::abs(a) < std::abs(b); };
  const auto fast = std::min_element(strides.begin(), strides.end(), nearer);
  if (std::abs(*fast) > kMostApart || std::abs(strides.back()) < kTurnedFrom || fast == strides.end() - 1 ||
      front_to_back(walk, itemsize)) {
    return std::nullopt;
  }
  how.fast = static_cast<int>(fast - strides.begin());
  how.row = inner_of(shape, static_cast<std::size_t>(how.fast));
  how.row_bytes = how.row * how.item;
  // Rows begin with a cache line, and no two of them in the same few sets of the cache, where that costs little.
  constexpr std::int64_t kPadded = 8 << 10;
  if (how.row_bytes >= kPadded) {
    how.row_bytes = (how.row_bytes + kLine - 1) / kLine * kLine;
    if (how.row_bytes % (16 * kLine) == 0) how.row_bytes += kLine;
  }
  return how;
}

void turn(const Turning& how, Stretch stretch, const std::byte* file, std::byte* tile, const PassContext& context) {
  std::vector<Box> boxes;
  const Stretch items{stretch.begin / how.item_elements, (stretch.end + how.item_elements - 1) / how.item_elements};
  cut(how.walk, 0, items, {{}, how.walk.offset, 0}, boxes);
  std::byte* origin = tile - how.start(stretch.begin);
  for (const Box& box : boxes) {
    BoxTurner(how, box, file, origin + how.offset(box.first * how.item_elements), context).run();
  }
}

}  // namespace penstock::run
