// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/choose_at_once.h"

#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "penstock/kernel/gather.h"
#include "penstock/run/nonzero.h"
#include "penstock/run/small.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kMostPlaces = kMostAtOnce / size_of(DType::k_int64);

/// Indices of one of a vector's elements each, read once: what they lie in may be another's memory.
class Places {
 public:
  /// Whether they are few, in memory and all in [-extent, extent).
  bool read(const graph::Node& index, std::int64_t extent) {
    count_ = index.size();
    SmallSource source;
    source.wanted = DType::k_int64;
    if (!is_small(count_, DType::k_int64) || !find_elements(index, index.shape, source)) return false;
    for_blocks({&source, 1}, count_, kernel::table(),
               [&](const void* const* inputs, std::int64_t first, std::int64_t some) {
                 std::memcpy(places_ + first, inputs[0], static_cast<std::size_t>(some) * sizeof *places_);
               });
    count_bytes({&source, 1}, count_);
    const bool wraps = index.dtype != DType::k_uint64;  // beyond int64's a place is no negative one
    bool inside = true;
    for (std::int64_t& place : std::span(places_, static_cast<std::size_t>(count_))) {
      if (wraps && place < 0) place += extent;
      inside = inside && place >= 0 && place < extent;
    }
    return inside;
  }

  const std::int64_t* data() const { return places_; }
  std::int64_t count() const { return count_; }

 private:
  std::int64_t places_[kMostPlaces];
  std::int64_t count_ = 0;
};

/// The elements of a node, in order; nothing where blocks of `inner` of them are not side by side.
std::optional<SmallSource> blocks_of(const graph::Node& node, const Dims& shape, std::int64_t inner) {
  SmallSource source;
  source.wanted = node.dtype;
  if (!find_elements(node, shape, source) || (inner > 1 && (source.packs() || source.single))) return std::nullopt;
  return source;
}

/// A value that stands for all, which is no block of several.
std::optional<SmallSource> blocks_of(const graph::Scalar& value, std::int64_t inner) {
  if (inner > 1) return std::nullopt;
  SmallSource source;
  source.dtype = source.wanted = value.dtype;
  source.data = value.bytes;
  source.single = true;
  return source;
}

}  // namespace

graph::NodeRef take_at_once(const graph::Node& x, const graph::Node& index, const Lines& lines, const Dims& shape) {
  if (!is_small(count(shape), x.dtype)) return nullptr;
  const std::optional<SmallSource> from = blocks_of(x, x.shape, lines.inner);
  Places places;
  if (!from || !places.read(index, lines.n)) return nullptr;
  const std::int64_t size = size_of(x.dtype);
  const kernel::Indexed blocks{lines.inner * from->step, 0, lines.n, lines.inner * size};
  memory::Buffer result = room_for(count(shape) * size);
  for (std::int64_t o = 0; o < lines.outer; ++o) {
    kernel::gather(from->data + o * lines.n * blocks.stride, blocks, places.data(), places.count(),
                   result.data() + o * places.count() * blocks.bytes, blocks.bytes);
  }
  count_bytes({&*from, 1}, count(shape));
  return result_of(std::move(result), shape, x.dtype);
}

graph::NodeRef put_at_once(const graph::Node& x, const graph::Node& index, const SmallOperand& values) {
  Places places;
  if (!is_small(x.size(), x.dtype) || !places.read(index, x.shape[0])) return nullptr;
  Dims put = x.shape;
  put[0] = places.count();
  const std::int64_t inner = x.size() / x.shape[0];
  const std::optional<SmallSource> from = blocks_of(x, x.shape, 1);
  const std::optional<SmallSource> with =
      values.node != nullptr ? blocks_of(*values.node, put, inner) : blocks_of(values.value, inner);
  if (!from || !with) return nullptr;
  const std::int64_t size = size_of(x.dtype);
  memory::Buffer result = room_for(x.size() * size);
  for_blocks({&*from, 1}, x.size(), kernel::table(),
             [&](const void* const* inputs, std::int64_t first, std::int64_t some) {
               std::memcpy(result.data() + first * size, inputs[0], static_cast<std::size_t>(some * size));
             });
  const std::int64_t bytes = inner * size;
  kernel::scatter(with->data, with->single ? 0 : inner * with->step, places.data(), places.count(),
                  {bytes, 0, x.shape[0], bytes}, result.data());
  count_bytes({&*from, 1}, x.size());
  return result_of(std::move(result), x.shape, x.dtype);
}

graph::NodeRef nonzero_at_once(const graph::Node& condition) {
  const std::int64_t n = condition.size();
  if (condition.dtype != DType::k_bool || !is_small(n, DType::k_int64)) return nullptr;
  const std::optional<SmallSource> from = blocks_of(condition, condition.shape, 1);
  if (!from) return nullptr;
  std::int64_t places[kMostPlaces];
  const std::int64_t count = nonzero(from->data, from->step, n, 0, places, places + n) - places;
  if (count == 0) return nullptr;
  count_bytes({&*from, 1}, n);
  memory::Buffer result = room_for(count * size_of(DType::k_int64));
  std::memcpy(result.data(), places, static_cast<std::size_t>(count * size_of(DType::k_int64)));
  return result_of(std::move(result), {count}, DType::k_int64);
}

}  // namespace penstock::run
