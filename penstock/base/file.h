// SPDX-License-Identifier: Apache-2.0
// The one door to the file system: a table of system calls that a test can replace, and the helpers that finish
// interrupted and partial transfers and turn errno into errors with path and offset.
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace penstock {

/// The system calls, with the kernel's own meanings: -1 (MAP_FAILED for mmap) and errno on failure.
struct FileCalls {
  int (*openat)(int directory, const char* path, int flags, mode_t mode);
  int (*close)(int fd);
  int (*fstat)(int fd, struct stat* facts);
  int (*fstatat)(int directory, const char* path, struct stat* facts, int flags);
  int (*fstatvfs)(int fd, struct statvfs* facts);
  ssize_t (*pread)(int fd, void* data, std::size_t bytes, off_t offset);
  ssize_t (*pwrite)(int fd, const void* data, std::size_t bytes, off_t offset);
  int (*fallocate)(int fd, int mode, off_t offset, off_t bytes);
  int (*ftruncate)(int fd, off_t size);
  int (*fchmod)(int fd, mode_t mode);
  int (*flock)(int fd, int operation);
  int (*fdatasync)(int fd);
  int (*fsync)(int fd);
  int (*renameat2)(int from_directory, const char* from, int to_directory, const char* to, unsigned flags);
  int (*linkat)(int from_directory, const char* from, int to_directory, const char* to, int flags);
  int (*unlinkat)(int directory, const char* path, int flags);
  void* (*mmap)(void* address, std::size_t bytes, int protection, int flags, int fd, off_t offset);
  int (*munmap)(void* address, std::size_t bytes);
  int (*madvise)(void* address, std::size_t bytes, int advice);
  int (*mincore)(void* address, std::size_t bytes, unsigned char* resident);
  int (*fadvise)(int fd, off_t offset, off_t bytes, int advice);  // returns the error number, as posix_fadvise
};

/// The table in use. Replace entries only while no other thread uses files.
FileCalls& file_calls();

/// The kernel's own calls.
const FileCalls& system_file_calls();

/// Owns a file descriptor. Move-only.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = other.release();
    }
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  /// Closes; the error of the close is lost. See close_checked.
  void reset();

 private:
  int fd_ = -1;
};

/// What identifies the contents of an open file, and its size.
struct FileFacts {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  mode_t mode = 0;
};

/// Throws for the system error `error`: NoSpaceError for ENOSPC, EDQUOT and EFBIG, else FileError, with
/// "<path>[ at byte <offset>]: <what>: <error's text>[; fix]". `offset` below 0: none.
[[noreturn]] void raise_errno(const std::string& path, std::int64_t offset, const std::string& what, int error);

/// Throws UnsafePathError for an empty path and for one with a NUL byte, which the system would cut short.
void check_path(const std::string& path);

/// Opens an existing regular file for reading. Throws UnsafePathError for a FIFO, device, socket or directory (without
/// hanging on it), FileError when it can't be opened.
Fd open_regular(const std::string& path);

FileFacts file_facts(int fd, const std::string& path);

/// Reads up to `bytes` at `offset`; fewer only at the end of the file. Returns the bytes read.
std::int64_t read_fully(int fd, void* data, std::int64_t bytes, std::int64_t offset, const std::string& path);

/// Writes all of `bytes` at `offset`.
void write_fully(int fd, const void* data, std::int64_t bytes, std::int64_t offset, const std::string& path);

/// One read or write of at most `bytes`, restarted when a signal interrupts it; as the system call otherwise.
std::int64_t read_some(int fd, void* data, std::int64_t bytes, std::int64_t offset);
std::int64_t write_some(int fd, const void* data, std::int64_t bytes, std::int64_t offset);

/// Reserves blocks for [0, size), so that later writes there find space. False when the file system can't reserve.
/// Throws NoSpaceError with the need and the free bytes.
bool reserve_space(int fd, std::int64_t size, const std::string& path);

/// Gives the file its size with blocks reserved, where the file system can. Throws NoSpaceError, also when the process
/// may not write a file that large.
void reserve_size(int fd, std::int64_t size, const std::string& path);

/// Waits until the data is on the disk. A failure is final: the kernel drops the pages it could not write and a second
/// sync would succeed without them.
void sync_data(int fd, const std::string& path);

/// The same for a directory's entries; a file system that can't sync directories counts as synced.
void sync_directory(int fd, const std::string& path);

/// Closes and reports the error that some file systems keep back until then.
void close_checked(Fd fd, const std::string& path);

/// Opens the directory that holds `path` ("." without one).
Fd open_directory_of(const std::string& path);

/// The last component of `path`.
std::string file_name_of(const std::string& path);

}  // namespace penstock
