// SPDX-License-Identifier: Apache-2.0
// A durable .npy output: it has its name only once every byte is on the disk.
//
//   temporary file in the same directory, space reserved -> write -> fdatasync -> rename -> fsync of the directory
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "penstock/type/dtype.h"
#include "penstock/type/shape.h"

namespace penstock::store {

/// none: no sync; process: survives the process (no sync); power: survives a power cut.
enum class Durability : int { kNone, kProcess, kPower };

/// PENSTOCK_DURABILITY, or kPower.
Durability default_durability();

/// Temporary files in `directory` that no writer holds any more: what a kill or a power cut leaves. Paths, sorted. A
/// file whose name has a living process's number counts only when it is unlocked and older than 10 s. Throws FileError
/// when the directory can't be read.
std::vector<std::string> stale_partials(const std::string& directory);

class NpySink {
 public:
  /// Creates the temporary file, header written and space reserved. Throws NoSpaceError (need and free bytes),
  /// FileError (unwritable or missing directory), FileError naming `overwrite` when `path` exists and that is false,
  /// and UnsafePathError when `path` is a link, directory or device. An existing file's permissions are kept.
  NpySink(std::string path, DType dtype, const Dims& shape, bool overwrite,
          Durability durability = default_durability());
  /// Aborts unless committed: the temporary file is removed.
  ~NpySink();
  NpySink(const NpySink&) = delete;
  NpySink& operator=(const NpySink&) = delete;

  /// Writes `bytes` at byte `offset` of the data (C order); safe from many threads on disjoint ranges. Fast (O_DIRECT)
  /// when source, offset and size are multiples of 4,096. Throws NoSpaceError or FileError with path and offset.
  void write(std::int64_t offset, const void* data, std::int64_t bytes);

  /// Writes n cells of `cell` bytes, side by side in `data`, to bytes offset + i * stride of the data; |stride| >=
  /// cell.
  void write_cells(std::int64_t offset, std::int64_t stride, const void* data, std::int64_t cell, std::int64_t n);

  /// Publishes the file once every byte has been written. Throws when any write or the sync failed (a failed sync is
  /// final), when another file took the name meanwhile and `overwrite` is false, and in a forked child.
  void commit();
  void abort() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace penstock::store
