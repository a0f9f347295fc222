// SPDX-License-Identifier: Apache-2.0
// A file of strided elements (.npy or raw) as a source of bytes: mapped, or read into pooled buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "penstock/memory/buffer.h"
#include "penstock/memory/mapped_file.h"
#include "penstock/type/dtype.h"
#include "penstock/type/shape.h"

namespace penstock::store {

/// What identifies a file's contents: a change during an evaluation is an error, not mixed data.
struct Generation {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const Generation&) const = default;
};

/// How the elements lie in the file.
struct FileFormat {
  DType dtype = DType::k_float32;
  bool swapped = false;  // big-endian on this little-endian machine
  Layout layout;         // offset = the first data byte in the file
  std::string name;      // "npy 1.0", "raw"
};

/// Bytes of a file in memory: `data` is the byte at the range's begin.
struct FileBytes {
  memory::Buffer buffer;
  const std::byte* data = nullptr;
};

enum class ReadMode : int { kBuffered, kDirect };

class FileSource {
 public:
  /// Takes ownership of `fd`.
  FileSource(std::string path, int fd, FileFormat format);
  /// A file that is yet to be written: nothing of it may be asked for before attach().
  FileSource(std::string path, FileFormat format) : path_(std::move(path)), format_(std::move(format)) {}
  ~FileSource();
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  /// Takes ownership of `fd`, by which the written file is read.
  void attach(int fd);
  bool attached() const { return fd_ >= 0; }

  const std::string& path() const { return path_; }
  const FileFormat& format() const { return format_; }
  const Generation& generation() const { return generation_; }

  /// The whole file mapped (at first use); byte 0 of the file. Read it only under memory::guarded.
  const memory::MappedFile& mapping() const;

  /// The bytes [range.begin, range.end) of the file in a pooled buffer; safe from many threads. kDirect bypasses the
  /// page cache with O_DIRECT (falling back to buffered reads where the file system refuses it).
  /// Throws TruncatedFileError when the file ends early, FileError on a read error, each with path and offset.
  FileBytes read(ByteRange range, ReadMode mode) const;

  /// What the pool takes for read() of `bytes`, at most: whole blocks of the disk, and aligned.
  static std::int64_t buffer_bytes(std::int64_t bytes);

  /// Throws FileChangedError or TruncatedFileError unless the file is still the one that was opened.
  void check_unchanged() const;

  /// The error for a fault in the mapping: TruncatedFileError with expected and present sizes.
  [[noreturn]] void raise_truncated() const;

 private:
  std::string path_;
  int fd_ = -1;
  mutable int direct_fd_ = -1;
  mutable std::once_flag direct_once_;
  FileFormat format_;
  Generation generation_;
  mutable std::once_flag map_once_;
  mutable memory::MappedFile mapping_;
};

/// Opens a .npy file (versions 1 to 3, C and Fortran order, either byte order) read-only. Throws FormatError for a
/// header that lies (field, expected, got), TruncatedFileError for missing data, UnsafePathError for what is no regular
/// file, FileError when it can't be opened, DTypeError for a dtype Penstock does not hold. `warning` receives a note
/// about bytes behind the data; with `strict` they are a FormatError.
std::shared_ptr<FileSource> open_npy(const std::string& path, bool strict = false, std::string* warning = nullptr);

/// Opens a file of bare elements in C order from byte `offset`. Without a shape: one dimension, to the end of the file
/// (FormatError when that is no whole number of elements).
std::shared_ptr<FileSource> open_raw(const std::string& path, DType dtype, std::optional<Dims> shape,
                                     std::int64_t offset = 0, bool swapped = false);

}  // namespace penstock::store
