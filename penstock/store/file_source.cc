// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/file_source.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/file.h"
#include "penstock/base/text.h"
#include "penstock/measure/span.h"
#include "penstock/memory/pool.h"
#include "penstock/store/npy_header.h"

namespace penstock::store {
namespace {

// O_DIRECT wants memory, offset and size in multiples of the disk's logical block; no disk's is larger.
constexpr std::int64_t kBlock = 4096;
constexpr std::int64_t kPiece = 4 << 20;
// From this size on buffers of the pool are aligned to 4,096 bytes.
constexpr std::int64_t kAlignedBuffer = 64 << 10;

std::int64_t round_down(std::int64_t value) { return value / kBlock * kBlock; }
std::int64_t round_up(std::int64_t value) { return (value + kBlock - 1) / kBlock * kBlock; }

/// What to ask the disk for of `left` bytes: pieces of about kPiece, never a small one behind them, which would cost
/// as much as a large one.
std::int64_t next_piece(std::int64_t left) { return left < kPiece / 2 * 3 ? left : kPiece; }

Generation generation_of(const FileFacts& facts) { return {facts.device, facts.inode, facts.size, facts.modified_ns}; }

/// Reads [begin, end) with O_DIRECT as far as it goes; returns the bytes read. All three arguments are block-aligned.
/// Stops early at the end of the file and wherever the file system refuses, such as behind a short read.
std::int64_t read_direct(int fd, std::byte* data, std::int64_t begin, std::int64_t end) {
  std::int64_t done = 0;
  while (begin + done < end) {
    const std::int64_t n = read_some(fd, data + done, next_piece(end - begin - done), begin + done);
    if (n <= 0) break;
    done += n;
  }
  return done;
}

}  // namespace

FileSource::FileSource(std::string path, int fd, FileFormat format)
    : path_(std::move(path)), format_(std::move(format)) {
  attach(fd);
}

void FileSource::attach(int fd) {
  Fd owned(fd);  // closed should the next line throw
  generation_ = generation_of(file_facts(fd, path_));
  fd_ = owned.release();
}

FileSource::~FileSource() {
  Fd(fd_).reset();
  Fd(direct_fd_).reset();
}

const memory::MappedFile& FileSource::mapping() const {
  std::call_once(map_once_, [this] { mapping_ = memory::MappedFile(fd_, generation_.size, path_); });
  return mapping_;
}

FileBytes FileSource::read(ByteRange range, ReadMode mode) const {
  PENSTOCK_CHECK(range.begin >= 0 && range.begin <= range.end, "range ", range.begin, " to ", range.end);
  if (range.size() == 0) return {};
  PENSTOCK_CHECK(range.end <= generation_.size, "the range ends at ", range.end, ", the file at ", generation_.size);
  const measure::Span span(measure::Step::k_read);
  std::int64_t begin = range.begin;
  std::int64_t end = range.end;
  FileBytes bytes;
  std::int64_t done = 0;
  if (mode == ReadMode::kDirect) {
    // By way of /proc, so that it is the same file even when its name is another's by now. -1 where that is refused.
    std::call_once(direct_once_, [this] {
      direct_fd_ =
          file_calls().openat(AT_FDCWD, cat("/proc/self/fd/", fd_).c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT, 0);
    });
    begin = round_down(begin);
    end = round_up(end);
    bytes.buffer = memory::Buffer::allocate(std::max(end - begin, kAlignedBuffer), "file read");
    if (direct_fd_ >= 0) done = read_direct(direct_fd_, bytes.buffer.data(), begin, end);
  } else {
    bytes.buffer = memory::Buffer::allocate(end - begin, "file read");
  }
  // What the direct read left: all of it when refused, the unaligned tail of the file, or the range after an error,
  // which the buffered read then meets and reports.
  if (begin + done < range.end) {
    done += read_fully(fd_, bytes.buffer.data() + done, range.end - begin - done, begin + done, path_);
  }
  if (begin + done < range.end) raise_truncated();
  bytes.data = bytes.buffer.data() + (range.begin - begin);
  return bytes;
}

std::int64_t FileSource::buffer_bytes(std::int64_t bytes) {
  return memory::pool_capacity(std::max(bytes + 2 * kBlock, kAlignedBuffer));
}

void FileSource::check_unchanged() const {
  const Generation now = generation_of(file_facts(fd_, path_));
  if (now == generation_) return;
  if (now.size < generation_.size) raise_truncated();
  throw FileChangedError(cat(path_, ": the file changed while it was read: ", generation_.size, " bytes at the start, ",
                             now.size, " now; write to a new file and rename it, or run again"));
}

void FileSource::raise_truncated() const {
  const FileFacts now = file_facts(fd_, path_);
  if (now.size < generation_.size) {
    throw TruncatedFileError(cat(path_, ": the file was truncated while it was read: expected ", generation_.size,
                                 " bytes, ", now.size, " present; write to a new file and rename it, or run again"));
  }
  if (generation_of(now) != generation_) check_unchanged();
  // The length is right, so the bytes could not be brought in from the disk.
  raise_errno(path_, -1, "cannot read the data", EIO);
}

std::shared_ptr<FileSource> open_npy(const std::string& path, bool strict, std::string* warning) {
  Fd fd = open_regular(path);
  const FileFacts facts = file_facts(fd.get(), path);
  std::vector<std::byte> prefix(static_cast<std::size_t>(std::min<std::int64_t>(facts.size, kBlock)));
  const auto fill = [&](std::size_t from) {
    const auto wanted = static_cast<std::int64_t>(prefix.size() - from);
    const std::int64_t n = read_fully(fd.get(), prefix.data() + from, wanted, static_cast<std::int64_t>(from), path);
    if (n < wanted)
      throw TruncatedFileError(cat(path, ": the file was truncated while its header was read; run again"));
  };
  fill(0);
  const auto needed = static_cast<std::size_t>(npy_prefix_size(prefix, facts.size));
  if (needed > prefix.size()) {
    const std::size_t seen = prefix.size();
    prefix.resize(needed);
    fill(seen);
  }
  FileFormat format = parse_npy_header(prefix, facts.size, path);
  const std::int64_t end = format.layout.offset + format.layout.size() * size_of(format.dtype);
  if (end < facts.size) {
    const std::string text = cat(path, ": ", facts.size - end, " bytes behind the data, which ends at byte ", end);
    if (strict) throw FormatError(cat(text, "; expected the file to end there"));
    if (warning != nullptr) *warning = cat(text, "; they are ignored");
  }
  auto source = std::make_shared<FileSource>(path, fd.release(), std::move(format));
  if (source->generation() != generation_of(facts)) {
    throw FileChangedError(cat(path, ": the file changed while it was opened; run again"));
  }
  return source;
}

std::shared_ptr<FileSource> open_raw(const std::string& path, DType dtype, std::optional<Dims> shape,
                                     std::int64_t offset, bool swapped) {
  if (offset < 0) throw ArgumentError(cat(path, ": offset ", offset, " is negative; use a byte offset of at least 0"));
  Fd fd = open_regular(path);
  const std::int64_t size = file_facts(fd.get(), path).size;
  const std::int64_t itemsize = size_of(dtype);
  if (offset > size) {
    throw TruncatedFileError(cat(path, ": the data begins at byte ", offset, ", the file has ", size, " bytes"));
  }
  if (!shape) {
    if ((size - offset) % itemsize != 0) {
      throw FormatError(cat(path, ": ", size - offset, " bytes from offset ", offset, " are no whole number of ",
                            name_of(dtype), " elements of ", itemsize,
                            " bytes; give a shape, another dtype or offset"));
    }
    shape = Dims{(size - offset) / itemsize};
  }
  const std::int64_t bytes = checked_mul(count(*shape), itemsize, "shape x itemsize");
  if (bytes > size - offset) {
    throw TruncatedFileError(cat(path, ": shape ", shape_text(*shape), " of ", name_of(dtype), " needs ", bytes,
                                 " bytes from offset ", offset, ", the file has ", size - offset));
  }
  FileFormat format{dtype, swapped && itemsize > 1, contiguous(*shape, itemsize), "raw"};
  format.layout.offset = offset;
  return std::make_shared<FileSource>(path, fd.release(), std::move(format));
}

}  // namespace penstock::store
