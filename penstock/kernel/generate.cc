// SPDX-License-Identifier: Apache-2.0
#include "penstock/kernel/generate.h"

#include <algorithm>
#include <cstring>

namespace penstock::kernel {
namespace {

constexpr std::int64_t kLine = 64;  // bytes of a cache line and of the widest vector

const void* advanced(const void* from, std::int64_t bytes) { return static_cast<const std::byte*>(from) + bytes; }
void* advanced(void* from, std::int64_t bytes) { return static_cast<std::byte*>(from) + bytes; }

}  // namespace

std::int64_t lane_bytes(DType dtype) {
  const bool real = is_integer(dtype) || kind_of(dtype) == Kind::kFloat;
  const std::int64_t size = size_of(dtype);
  return real && (size == 4 || size == 8) ? size : 0;
}

/// Fewer elements than a vector: through one on the stack, so that nothing else is read or written.
void Generated::run_some(const void* const* in, void* const* out, std::int64_t first, std::int64_t n) const {
  if (n == 0) return;
  alignas(kLine) std::byte block[kMostStreams][kLine];
  const void* from[kMostStreams];
  void* to[kMostStreams];
  for (std::size_t k = 0; k < inputs_.size(); ++k) {
    const std::int64_t size = size_of(inputs_[k].dtype);
    from[k] = inputs_[k].single ? in[k] : block[k];
    if (inputs_[k].single) continue;
    std::memset(block[k], 0, kLine);
    std::memcpy(block[k], advanced(in[k], first * size), static_cast<std::size_t>(n * size));
  }
  for (std::size_t k = 0; k < out_bytes_.size(); ++k) to[k] = block[inputs_.size() + k];
  ordinary_(from, to, 1);
  for (std::size_t k = 0; k < out_bytes_.size(); ++k)
    std::memcpy(advanced(out[k], first * out_bytes_[k]), to[k], static_cast<std::size_t>(n * out_bytes_[k]));
}

/// Elements before the first whose places in all outputs begin a cache line; n when there is none. Bytes leave by
/// ordinary stores.
std::int64_t Generated::before_aligned(void* const* out, std::int64_t n) const {
  const auto past = [&](std::size_t k, std::int64_t first) {
    return (reinterpret_cast<std::uintptr_t>(out[k]) + static_cast<std::uintptr_t>(first * out_bytes_[k])) % kLine;
  };
  for (std::int64_t first = 0; first < std::min(n, kLine); ++first) {
    bool aligned = true;
    for (std::size_t k = 0; k < out_bytes_.size() && aligned; ++k) aligned = out_bytes_[k] == 1 || past(k, first) == 0;
    if (aligned) return first;
  }
  return n;
}

void Generated::run(const void* const* in, void* const* out, std::int64_t n, bool streams) const {
  std::int64_t first = streams ? before_aligned(out, n) : 0;
  const Loop loop = first < n && streams ? streaming_ : ordinary_;
  if (loop == ordinary_) first = 0;
  for (std::int64_t done = 0; done < first;) {
    const std::int64_t some = std::min(first - done, lanes_);
    run_some(in, out, done, some);
    done += some;
  }
  const std::int64_t vectors = (n - first) / lanes_;
  if (vectors > 0) {
    const void* from[kMostStreams];
    void* to[kMostStreams];
    for (std::size_t k = 0; k < inputs_.size(); ++k)
      from[k] = inputs_[k].single ? in[k] : advanced(in[k], first * size_of(inputs_[k].dtype));
    for (std::size_t k = 0; k < out_bytes_.size(); ++k) to[k] = advanced(out[k], first * out_bytes_[k]);
    loop(from, to, vectors);
  }
  first += vectors * lanes_;
  run_some(in, out, first, n - first);
}

}  // namespace penstock::kernel
