// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/npy_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <utility>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/file.h"
#include "penstock/base/machine.h"
#include "penstock/base/text.h"
#include "penstock/store/npy_header.h"
#include "penstock/store/partial_file.h"

namespace penstock::store {
namespace {

// Data begins on a page of its own, so that aligned regions of the data are aligned regions of the file.
constexpr std::int64_t kHeaderBytes = 4096;
// Below this size a write to the page cache costs less than a trip to the disk.
constexpr std::int64_t kDirectLeast = 256 << 10;
constexpr std::int64_t kPiece = 4 << 20;

/// O_DIRECT's unit: the disk's block, and the page where that is larger, because a page of the page cache must never be
/// written both ways at once.
std::int64_t direct_unit() { return std::max<std::int64_t>(4096, page_size()); }

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
      : file(std::move(target), overwrite, kHeaderBytes + data_bytes), durability(how), bytes(data_bytes) {}

  void write_buffered(const std::byte* data, std::int64_t begin, std::int64_t end) {
    write_fully(file.fd(), data, end - begin, begin, file.path());
  }
  std::int64_t write_direct(const std::byte* data, std::int64_t begin, std::int64_t end);
  void write_range(const std::byte* data, std::int64_t begin, std::int64_t end);
  void remember(const std::string& error);

  PartialFile file;
  Durability durability;
  std::int64_t bytes;
  std::atomic<std::int64_t> written{0};
  std::atomic<bool> direct_refused{false};
  std::mutex mutex;
  std::string failure;  // the first error's text
};

/// Writes a block-aligned range with O_DIRECT; returns the bytes written, fewer where the file system refuses.
std::int64_t NpySink::State::write_direct(const std::byte* data, std::int64_t begin, std::int64_t end) {
  std::int64_t done = 0;
  const std::int64_t unit = direct_unit();
  while (begin + done < end && done % unit == 0 && !direct_refused.load(std::memory_order_relaxed)) {
    const std::int64_t n =
        write_some(file.direct_fd(), data + done, std::min(end - begin - done, kPiece), begin + done);
    if (n <= 0) {
      // EINVAL is a refusal. Any other error is met again by the buffered write that follows, or was passing.
      if (n < 0 && errno == EINVAL) direct_refused.store(true, std::memory_order_relaxed);
      break;
    }
    done += n;
  }
  return done;
}

/// `begin` and `end` are offsets in the file.
void NpySink::State::write_range(const std::byte* data, std::int64_t begin, std::int64_t end) {
  const std::int64_t unit = direct_unit();
  const std::int64_t first = (begin + unit - 1) / unit * unit;
  const std::int64_t last = end / unit * unit;
  const auto address = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(data));
  const bool aligned = (address - begin) % unit == 0;
  if (!aligned || last - first < kDirectLeast || file.direct_fd() < 0) {
    write_buffered(data, begin, end);
    return;
  }
  if (begin < first) write_buffered(data, begin, first);
  const std::int64_t middle = first + write_direct(data + (first - begin), first, last);
  if (middle < end) write_buffered(data + (middle - begin), middle, end);
}

void NpySink::State::remember(const std::string& error) {
  const std::lock_guard lock(mutex);
  if (failure.empty()) failure = error;
}

NpySink::NpySink(std::string path, DType dtype, const Dims& shape, bool overwrite, Durability durability) {
  const std::int64_t bytes = checked_mul(count(shape), size_of(dtype), "shape x itemsize");
  const std::string header = make_npy_header(dtype, shape, kHeaderBytes);
  PENSTOCK_CHECK(header.size() == static_cast<std::size_t>(kHeaderBytes));
  state_ = std::make_unique<State>(std::move(path), overwrite, durability, bytes);
  state_->write_buffered(reinterpret_cast<const std::byte*>(header.data()), 0, kHeaderBytes);
}

NpySink::~NpySink() = default;

void NpySink::write(std::int64_t offset, const void* data, std::int64_t bytes) {
  State& state = *state_;
  state.file.check_writable();
  PENSTOCK_CHECK(offset >= 0 && bytes >= 0 && bytes <= state.bytes - offset, "write of ", bytes, " bytes at ", offset,
                 " into ", state.bytes);
  const std::int64_t begin = kHeaderBytes + offset;
  try {
    state.write_range(static_cast<const std::byte*>(data), begin, begin + bytes);
  } catch (const Error& error) {
    state.remember(error.what());
    throw;
  }
  state.written.fetch_add(bytes, std::memory_order_relaxed);
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
