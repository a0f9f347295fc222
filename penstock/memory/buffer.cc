// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/buffer.h"

#include <new>
#include <utility>

#include "penstock/memory/governor.h"
#include "penstock/memory/pool.h"

namespace penstock::memory {
namespace {

class OwnedMemory final : public Memory {
 public:
  explicit OwnedMemory(Buffer buffer) : buffer_(std::move(buffer)) {}
  std::byte* data() const override { return buffer_.data(); }
  std::int64_t owned_bytes() const override { return buffer_.size(); }

 private:
  Buffer buffer_;
};

}  // namespace

Buffer Buffer::allocate(std::int64_t bytes, const char* what) {
  Governor& governor = Governor::instance();
  const std::int64_t capacity = pool_capacity(bytes);
  governor.reserve(capacity, what);
  Buffer buffer;
  try {
    buffer.data_ = pool_take(bytes).data;
  } catch (...) {
    governor.release(capacity);
    throw;
  }
  governor.trim_idle();
  buffer.size_ = bytes;
  buffer.capacity_ = capacity;
  return buffer;
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  pool_give({data_, capacity_});
  Governor::instance().release(capacity_);
}

std::shared_ptr<Memory> share(Buffer buffer) { return std::make_shared<OwnedMemory>(std::move(buffer)); }

}  // namespace penstock::memory
