// SPDX-License-Identifier: Apache-2.0
// Reading ahead and writing behind: file bytes move while kernels compute.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "penstock/run/monitor.h"
#include "penstock/store/file_source.h"
#include "penstock/store/npy_sink.h"

namespace penstock::run {

/// Threads that read ahead: two that keep the disk busy, and one more while a core computes.
inline constexpr int kReaders = 3;
inline constexpr int kWriters = 2;

/// One file read in pieces.
struct Stream {
  std::shared_ptr<store::FileSource> file;
  store::ReadMode mode = store::ReadMode::kBuffered;
  std::vector<ByteRange> tiles;  // what each tile needs of it
};

/// Reader threads that stay up to `depth` tiles ahead of the consumer.
class ReadAhead {
 public:
  ReadAhead(std::vector<Stream> streams, int depth, int readers);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// The bytes of tile `tile` of each stream; waits for them. Throws what the reader met.
  const std::vector<store::FileBytes>& wait(std::int64_t tile, Monitor& monitor);
  /// The consumer is done with `tile`; its buffers go back.
  void release(std::int64_t tile);

 private:
  struct Slot {
    std::vector<store::FileBytes> bytes;
    std::exception_ptr error;
  };

  void read_loop();

  const std::vector<Stream> streams_;
  const std::int64_t tiles_;
  const int depth_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int64_t, Slot> slots_;
  std::int64_t next_ = 0;      // to be read
  std::int64_t released_ = 0;  // tiles the consumer is done with
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

/// Writer threads behind the computation.
class WriteBehind {
 public:
  WriteBehind(int depth, int writers);
  /// Waits for the writers; what is still queued is dropped unless finish() was called.
  ~WriteBehind();
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  /// Queues a write; waits while `depth` are under way. Throws what an earlier write met.
  void push(std::function<void()> write, Monitor& monitor);
  /// Waits until all is written; throws what a write met.
  void finish(Monitor& monitor);

 private:
  void write_loop();
  void raise();

  const std::size_t depth_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::size_t running_ = 0;
  std::exception_ptr error_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace penstock::run
