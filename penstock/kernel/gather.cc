// SPDX-License-Identifier: Apache-2.0
#include "penstock/kernel/gather.h"

#include <cstring>

namespace penstock::kernel {
namespace {

/// Calls f with the size as a constant where it is that of an element.
template <class F>
void with_size(std::int64_t bytes, const F& f) {
  switch (bytes) {
    case 1:
      return f.template operator()<1>();
    case 2:
      return f.template operator()<2>();
    case 4:
      return f.template operator()<4>();
    case 8:
      return f.template operator()<8>();
    case 16:
      return f.template operator()<16>();
    default:
      return f.template operator()<0>();
  }
}

template <std::size_t kBytes>
void copy(std::byte* to, const std::byte* from, std::int64_t bytes) {
  std::memcpy(to, from, kBytes == 0 ? static_cast<std::size_t>(bytes) : kBytes);
}

constexpr std::int64_t kAhead = 16;  // blocks that are asked for early: random places of a large array miss every cache

}  // namespace

void gather(const void* in_, const Indexed& blocks, const std::int64_t* index, std::int64_t n, void* out_,
            std::int64_t out_stride) {
  // The address of block 0, which may lie before what is there.
  const std::byte* in = static_cast<const std::byte*>(in_) - blocks.begin * blocks.stride;
  auto* out = static_cast<std::byte*>(out_);
  with_size(blocks.bytes, [&]<std::size_t kBytes>() {
    for (std::int64_t j = 0; j < n; ++j) {
      if (j + kAhead < n) __builtin_prefetch(in + index[j + kAhead] * blocks.stride);
      if (index[j] >= blocks.begin && index[j] < blocks.end)
        copy<kBytes>(out + j * out_stride, in + index[j] * blocks.stride, blocks.bytes);
    }
  });
}

void scatter(const void* in_, std::int64_t in_stride, const std::int64_t* index, std::int64_t n, const Indexed& blocks,
             void* out_) {
  const auto* in = static_cast<const std::byte*>(in_);
  std::byte* out = static_cast<std::byte*>(out_) - blocks.begin * blocks.stride;
  with_size(blocks.bytes, [&]<std::size_t kBytes>() {
    for (std::int64_t j = 0; j < n; ++j) {
      if (j + kAhead < n) __builtin_prefetch(out + index[j + kAhead] * blocks.stride, 1);
      if (index[j] >= blocks.begin && index[j] < blocks.end)
        copy<kBytes>(out + index[j] * blocks.stride, in + j * in_stride, blocks.bytes);
    }
  });
}

}  // namespace penstock::kernel
