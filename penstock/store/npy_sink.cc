// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/npy_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/file.h"
#include "penstock/base/machine.h"
#include "penstock/base/text.h"
#include "penstock/store/direct_write.h"
#include "penstock/store/npy_header.h"
#include "penstock/store/partial_file.h"

namespace penstock::store {
namespace {

// Data begins on a page of its own, so that aligned regions of the data are aligned regions of the file.
constexpr std::int64_t kHeaderBytes = 4096;

}  // namespace

Durability default_durability() {
  const std::string name = env(Env::kDURABILITY).value_or("power");
  if (name == "none") return Durability::kNone;
  if (name == "process") return Durability::kProcess;
  if (name == "power") return Durability::kPower;
  throw ArgumentError(cat("PENSTOCK_DURABILITY is '", name, "'; use none, process or power"));
}

struct NpySink::State {
  State(std::string target, bool overwrite, Durability how, std::int64_t data_bytes)
      : file(std::move(target), overwrite, kHeaderBytes + data_bytes), durability(how), bytes(data_bytes) {
    writer.fd = file.fd();
    writer.direct_fd = file.direct_fd();
  }

  void remember(const std::string& error);

  void write(const void* data, std::int64_t begin, std::int64_t end) {
    writer.write(static_cast<const std::byte*>(data), begin, end, file.path());
  }

  /// Has `counted` bytes written, all within `span` bytes of the data from `offset` on.
  template <class Write>
  void put(std::int64_t offset, std::int64_t span, std::int64_t counted, const Write& write_at) {
    file.check_writable();
    PENSTOCK_CHECK(offset >= 0 && span >= 0 && span <= bytes - offset, "write of ", span, " bytes at ", offset,
                   " into ", bytes);
    try {
      write_at(*this);
    } catch (const Error& error) {
      remember(error.what());
      throw;
    }
    written.fetch_add(counted, std::memory_order_relaxed);
  }

  PartialFile file;
  DirectWriter writer;
  Durability durability;
  std::int64_t bytes;
  std::atomic<std::int64_t> written{0};
  std::mutex mutex;
  std::string failure;  // the first error's text
};

void NpySink::State::remember(const std::string& error) {
  const std::lock_guard lock(mutex);
  if (failure.empty()) failure = error;
}

NpySink::NpySink(std::string path, DType dtype, const Dims& shape, bool overwrite, Durability durability) {
  const std::int64_t bytes = checked_mul(count(shape), size_of(dtype), "shape x itemsize");
  const std::string header = make_npy_header(dtype, shape, kHeaderBytes);
  PENSTOCK_CHECK(header.size() == static_cast<std::size_t>(kHeaderBytes));
  state_ = std::make_unique<State>(std::move(path), overwrite, durability, bytes);
  state_->write(header.data(), 0, kHeaderBytes);
}

NpySink::~NpySink() = default;

void NpySink::write(std::int64_t offset, const void* data, std::int64_t bytes) {
  state_->put(offset, bytes, bytes,
              [&](State& state) { state.write(data, kHeaderBytes + offset, kHeaderBytes + offset + bytes); });
}

void NpySink::write_cells(std::int64_t offset, std::int64_t stride, const void* data, std::int64_t cell,
                          std::int64_t n) {
  const std::int64_t reach = (n - 1) * stride;
  PENSTOCK_CHECK(n > 0 && std::abs(stride) >= cell, n, " cells of ", cell, " bytes ", stride, " apart");
  state_->put(offset + std::min<std::int64_t>(reach, 0), std::abs(reach) + cell, n * cell, [&](State& state) {
    state.writer.write_cells(static_cast<const std::byte*>(data), kHeaderBytes + offset, stride, cell, n,
                             state.file.path());
  });
}

void NpySink::commit() {
  State& state = *state_;
  state.file.check_writable();
  {
    const std::lock_guard lock(state.mutex);
    if (!state.failure.empty()) {
      throw FileError(cat(state.file.path(), ": not written, because of an earlier error: ", state.failure));
    }
  }
  const std::int64_t written = state.written.load();
  PENSTOCK_CHECK(written >= state.bytes, state.file.path(), ": ", written, " of ", state.bytes, " bytes written");
  try {
    state.file.publish(state.durability == Durability::kPower);
  } catch (const Error& error) {
    state.remember(error.what());
    throw;
  }
}

void NpySink::abort() noexcept { state_->file.discard(); }

}  // namespace penstock::store
