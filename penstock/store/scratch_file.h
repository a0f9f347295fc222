// SPDX-License-Identifier: Apache-2.0
// A nameless file for intermediate results that memory has no room for: it is gone when its last descriptor is closed,
// however the process ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "penstock/base/file.h"
#include "penstock/store/direct_write.h"

namespace penstock::store {

/// PENSTOCK_SCRATCH; else the directory of `output`, a file to be written; else TMPDIR, /var/tmp or /tmp.
std::string scratch_directory(const std::string& output);

class ScratchFile {
 public:
  /// Creates the file in `directory` with `size` bytes reserved. Throws NoSpaceError (need and free bytes) or FileError
  /// (missing or unwritable directory), each with the way to another directory.
  ScratchFile(const std::string& directory, std::int64_t size);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// For errors: "scratch file in <directory>".
  const std::string& name() const { return name_; }
  std::int64_t size() const { return size_; }

  /// Writes `bytes` at `offset`; safe from many threads on disjoint ranges. Throws NoSpaceError or FileError.
  void write(std::int64_t offset, const void* data, std::int64_t bytes);
  /// The same for n cells of `cell` bytes, side by side in `data`, at offset + i * stride; |stride| >= cell.
  void write_cells(std::int64_t offset, std::int64_t stride, const void* data, std::int64_t cell, std::int64_t n);

  /// The whole file mapped for writing in any order, at first use by one thread. To be written under memory::guarded.
  std::byte* mapped();
  /// Unmaps the mapping's pages; what was written stays in the file.
  void drop_mapped() const;

  /// Ends writing: waits for the disk, so that no error stays behind, and returns a descriptor to read the file by.
  Fd finish();

 private:
  std::string name_;
  std::int64_t size_;
  Fd fd_;
  Fd direct_fd_;
  DirectWriter writer_;
  std::byte* mapped_ = nullptr;
};

}  // namespace penstock::store
