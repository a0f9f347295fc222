// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "penstock/base/error.h"
#include "penstock/base/text.h"

namespace penstock {
namespace {

// A call that signals interrupt this often without any progress is given up on, so that a storm of them can't hang it.
constexpr int kMaxInterrupts = 1000;

// Below the 2 GiB - 4 KiB at which one transfer ends in any case, and a multiple of every block size.
constexpr std::int64_t kMaxTransfer = std::int64_t{1} << 30;

constexpr FileCalls kSystemCalls = {
    .openat = [](int directory, const char* path, int flags,
                 mode_t mode) { return ::openat(directory, path, flags, mode); },
    .close = ::close,
    .fstat = [](int fd, struct stat* facts) { return ::fstat(fd, facts); },
    .fstatat = [](int directory, const char* path, struct stat* facts,
                  int flags) { return ::fstatat(directory, path, facts, flags); },
    .fstatvfs = ::fstatvfs,
    .pread = ::pread,
    .pwrite = ::pwrite,
    // Not posix_fallocate: where the file system can't reserve, glibc emulates it by writing a byte to every block.
    .fallocate = ::fallocate,
    .ftruncate = ::ftruncate,
    .fchmod = ::fchmod,
    .flock = ::flock,
    .fdatasync = ::fdatasync,
    .fsync = ::fsync,
    .renameat2 = ::renameat2,
    .linkat = ::linkat,
    .unlinkat = ::unlinkat,
    .mmap = ::mmap,
    .munmap = ::munmap,
    .madvise = ::madvise,
    .mincore = ::mincore,
    .fadvise = ::posix_fadvise,
};

constinit FileCalls calls = kSystemCalls;

/// Runs `call` again for as long as signals interrupt it.
template <class Call>
auto restarted(Call call) {
  auto result = call();
  for (int i = 0; result < 0 && errno == EINTR && i < kMaxInterrupts; ++i) result = call();
  return result;
}

/// What the user can do about `error`, starting with "; ", or "".
const char* fix_of(int error) {
  switch (error) {
    case ENOSPC:
      return "; free some space or write to another disk";
    case EDQUOT:
      return "; free some space or raise the disk quota";
    case EFBIG:
      return "; raise the file size limit (ulimit -f) or write to a file system that takes larger files";
    case EMFILE:
      return "; close some files or raise the limit (ulimit -n)";
    case EACCES:
    case EPERM:
      return "; check the permissions of the file and its directory";
    case EROFS:
      return "; write to another file system";
    default:
      return "";
  }
}

}  // namespace

FileCalls& file_calls() { return calls; }
const FileCalls& system_file_calls() { return kSystemCalls; }

void Fd::reset() {
  if (fd_ >= 0) file_calls().close(fd_);
  fd_ = -1;
}

void raise_errno(const std::string& path, std::int64_t offset, const std::string& what, int error) {
  const std::string where = offset < 0 ? std::string() : cat(" at byte ", offset);
  const std::string text = cat(path, where, ": ", what, ": ", std::generic_category().message(error), fix_of(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) throw NoSpaceError(text, error);
  throw FileError(text, error);
}

void check_path(const std::string& path) {
  if (path.empty()) throw UnsafePathError("the path is empty; name a file");
  const std::size_t nul = path.find('\0');
  if (nul != std::string::npos) {
    throw UnsafePathError(cat("the path '", path.substr(0, nul), "...' has a NUL byte at position ", nul,
                              "; remove it: the system would stop reading the name there"));
  }
}

FileFacts file_facts(int fd, const std::string& path) {
  struct stat facts = {};
  if (file_calls().fstat(fd, &facts) != 0) raise_errno(path, -1, "cannot read the file's size", errno);
  return {static_cast<std::uint64_t>(facts.st_dev), static_cast<std::uint64_t>(facts.st_ino), facts.st_size,
          static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1'000'000'000 + facts.st_mtim.tv_nsec, facts.st_mode};
}

namespace {

const char* kind_text(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode)) return "a character device";
  return S_ISBLK(mode) ? "a block device" : "no regular file";
}

}  // namespace

Fd open_regular(const std::string& path) {
  check_path(path);
  // O_NONBLOCK: opening a FIFO would otherwise wait for a writer. It has no effect on regular files.
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  Fd fd(restarted([&] { return file_calls().openat(AT_FDCWD, path.c_str(), kFlags, 0); }));
  if (!fd) {
    // ENXIO is a socket or a device without a driver: not a matter of permissions.
    if (errno == ENXIO) throw UnsafePathError(cat(path, " is a socket or device; expected a regular file"), ENXIO);
    raise_errno(path, -1, "cannot open for reading", errno);
  }
  const FileFacts facts = file_facts(fd.get(), path);
  if (!S_ISREG(facts.mode)) {
    throw UnsafePathError(cat(path, " is ", kind_text(facts.mode), "; expected a regular file"));
  }
  return fd;
}

std::int64_t read_some(int fd, void* data, std::int64_t bytes, std::int64_t offset) {
  const auto size = static_cast<std::size_t>(std::min(bytes, kMaxTransfer));
  return restarted([&] { return file_calls().pread(fd, data, size, offset); });
}

std::int64_t write_some(int fd, const void* data, std::int64_t bytes, std::int64_t offset) {
  const auto size = static_cast<std::size_t>(std::min(bytes, kMaxTransfer));
  return restarted([&] { return file_calls().pwrite(fd, data, size, offset); });
}

std::int64_t read_fully(int fd, void* data, std::int64_t bytes, std::int64_t offset, const std::string& path) {
  std::int64_t done = 0;
  while (done < bytes) {
    const std::int64_t n = read_some(fd, static_cast<std::byte*>(data) + done, bytes - done, offset + done);
    if (n < 0) raise_errno(path, offset + done, cat("cannot read ", bytes_text(bytes - done)), errno);
    if (n == 0) break;
    done += n;
  }
  return done;
}

void write_fully(int fd, const void* data, std::int64_t bytes, std::int64_t offset, const std::string& path) {
  std::int64_t done = 0;
  while (done < bytes) {
    const std::int64_t n = write_some(fd, static_cast<const std::byte*>(data) + done, bytes - done, offset + done);
    // A regular file never takes 0 of some bytes; treated as an error so that it can't loop.
    if (n <= 0) raise_errno(path, offset + done, cat("cannot write ", bytes_text(bytes - done)), n < 0 ? errno : EIO);
    done += n;
  }
}

bool reserve_space(int fd, std::int64_t size, const std::string& path) {
  if (size <= 0) return true;
  if (restarted([&] { return file_calls().fallocate(fd, 0, 0, size); }) == 0) return true;
  const int error = errno;
  if (error == EOPNOTSUPP || error == ENOSYS) return false;
  std::string what = cat("cannot reserve ", bytes_text(size), " (", size, " bytes)");
  struct statvfs disk = {};
  if (error == ENOSPC && file_calls().fstatvfs(fd, &disk) == 0) {
    const auto free = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
    what += cat(", ", bytes_text(free), " (", free, " bytes) free");
  }
  raise_errno(path, -1, what, error);
}

void reserve_size(int fd, std::int64_t size, const std::string& path) {
  // Beyond this limit the system sends SIGXFSZ, which ends a process that does not expect it.
  struct rlimit limit = {};
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      static_cast<rlim_t>(size) > limit.rlim_cur) {
    raise_errno(path, -1, cat("needs ", size, " bytes, the file size limit is ", limit.rlim_cur), EFBIG);
  }
  if (!reserve_space(fd, size, path) && file_calls().ftruncate(fd, size) != 0) {
    raise_errno(path, -1, cat("cannot set the size to ", bytes_text(size)), errno);
  }
}

void sync_data(int fd, const std::string& path) {
  if (restarted([&] { return file_calls().fdatasync(fd); }) == 0) return;
  raise_errno(path, -1, "cannot sync the data to the disk, which may be lost; write the file again", errno);
}

void sync_directory(int fd, const std::string& path) {
  if (restarted([&] { return file_calls().fsync(fd); }) == 0 || errno == EINVAL) return;
  raise_errno(path, -1, "cannot sync the directory to the disk", errno);
}

void close_checked(Fd fd, const std::string& path) {
  // The descriptor is gone even when the close fails, so it is never repeated; EINTR says nothing about the data.
  if (file_calls().close(fd.release()) != 0 && errno != EINTR) raise_errno(path, -1, "cannot close", errno);
}

Fd open_directory_of(const std::string& path) {
  check_path(path);
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  Fd fd(restarted([&] { return file_calls().openat(AT_FDCWD, directory.c_str(), kFlags, 0); }));
  if (!fd) raise_errno(path, -1, cat("cannot open the directory ", directory), errno);
  return fd;
}

std::string file_name_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace penstock
