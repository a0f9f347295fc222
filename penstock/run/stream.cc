// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/stream.h"

#include <chrono>

namespace penstock::run {
namespace {

constexpr std::chrono::milliseconds kPoll{10};

}  // namespace

ReadAhead::ReadAhead(std::vector<Stream> streams, int depth, int readers)
    : streams_(std::move(streams)),
      tiles_(streams_.empty() ? 0 : static_cast<std::int64_t>(streams_.front().tiles.size())),
      depth_(depth) {
  for (int i = 0; i < readers && tiles_ > 0; ++i) threads_.emplace_back([this] { read_loop(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ReadAhead::read_loop() {
  std::unique_lock lock(mutex_);
  while (!stop_ && next_ < tiles_) {
    if (next_ >= released_ + depth_) {
      changed_.wait(lock);
      continue;
    }
    const std::int64_t tile = next_++;
    lock.unlock();
    Slot slot;
    try {
      for (const Stream& stream : streams_)
        slot.bytes.push_back(stream.file->read(stream.tiles[static_cast<std::size_t>(tile)], stream.mode));
    } catch (...) {
      slot.error = std::current_exception();
    }
    lock.lock();
    slots_[tile] = std::move(slot);
    changed_.notify_all();
  }
}

const std::vector<store::FileBytes>& ReadAhead::wait(std::int64_t tile, Monitor& monitor) {
  std::unique_lock lock(mutex_);
  while (slots_.count(tile) == 0) {
    changed_.wait_for(lock, kPoll);
    lock.unlock();
    monitor.tick();
    lock.lock();
  }
  const Slot& slot = slots_.at(tile);
  if (slot.error) std::rethrow_exception(slot.error);
  return slot.bytes;
}

void ReadAhead::release(std::int64_t tile) {
  Slot gone;
  {
    const std::lock_guard lock(mutex_);
    gone = std::move(slots_.at(tile));
    slots_.erase(tile);
  }
  gone = {};  // the buffers are back before a reader may take new ones, or it would find no room in the budget
  {
    const std::lock_guard lock(mutex_);
    released_ = tile + 1;
  }
  changed_.notify_all();
}

WriteBehind::WriteBehind(int depth, int writers) : depth_(static_cast<std::size_t>(depth)) {
  for (int i = 0; i < writers; ++i) threads_.emplace_back([this] { write_loop(); });
}

WriteBehind::~WriteBehind() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WriteBehind::write_loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (queue_.empty()) {
      if (stop_) return;
      changed_.wait(lock);
      continue;
    }
    std::function<void()> write = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    lock.unlock();
    std::exception_ptr error;
    try {
      write();
    } catch (...) {
      error = std::current_exception();
    }
    write = nullptr;  // gives the buffer back before the next one is asked for
    lock.lock();
    --running_;
    if (error && !error_) error_ = error;
    changed_.notify_all();
  }
}

void WriteBehind::raise() {
  if (error_) std::rethrow_exception(error_);
}

void WriteBehind::push(std::function<void()> write, Monitor& monitor) {
  std::unique_lock lock(mutex_);
  raise();
  queue_.push_back(std::move(write));
  changed_.notify_all();
  while (queue_.size() + running_ >= depth_ && !error_) {
    changed_.wait_for(lock, kPoll);
    lock.unlock();
    monitor.tick();
    lock.lock();
  }
  raise();
}

void WriteBehind::finish(Monitor& monitor) {
  std::unique_lock lock(mutex_);
  while ((!queue_.empty() || running_ > 0) && !error_) {
    changed_.wait_for(lock, kPoll);
    lock.unlock();
    monitor.tick();
    lock.lock();
  }
  raise();
}

}  // namespace penstock::run
