// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/scratch_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/text.h"
#include "penstock/measure/span.h"

namespace penstock::store {
namespace {

constexpr int kFlags = O_RDWR | O_CLOEXEC;

/// For file systems without nameless files: a name for a moment.
Fd create_and_unlink(const std::string& directory, const std::string& name) {
  static std::atomic<std::int64_t> counter{0};
  constexpr int kAttempts = 1000;
  for (int attempt = 0;; ++attempt) {
    const std::string path = cat(directory, "/.penstock-", getpid(), "-", ++counter, ".scratch");
    Fd fd(file_calls().openat(AT_FDCWD, path.c_str(), kFlags | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    if (fd) {
      if (file_calls().unlinkat(AT_FDCWD, path.c_str(), 0) != 0) raise_errno(name, -1, "cannot unlink it", errno);
      return fd;
    }
    if ((errno != EEXIST && errno != EINTR) || attempt == kAttempts) raise_errno(name, -1, "cannot create it", errno);
  }
}

Fd create(const std::string& directory, const std::string& name) {
  check_path(directory);
  Fd fd(file_calls().openat(AT_FDCWD, directory.c_str(), kFlags | O_TMPFILE, 0600));
  // Who does not know the flag sees a directory opened for writing.
  const bool unknown = !fd && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL);
  if (unknown) fd = create_and_unlink(directory, name);
  if (!fd) raise_errno(name, -1, "cannot create it", errno);
  return fd;
}

}  // namespace

std::string scratch_directory(const std::string& output) {
  if (const auto set = env(Env::kSCRATCH)) return *set;
  if (!output.empty()) {
    const std::size_t slash = output.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : output.substr(0, slash);
  }
  if (const char* set = std::getenv("TMPDIR"); set != nullptr && *set != '\0') return set;
  // /tmp may be memory.
  return access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : "/tmp";
}

ScratchFile::ScratchFile(const std::string& directory, std::int64_t size)
    : name_(cat("scratch file in ", directory)), size_(size) {
  try {
    fd_ = create(directory, name_);
    reserve_size(fd_.get(), size, name_);
  } catch (const NoSpaceError& error) {
    throw NoSpaceError(cat(error.what(), "; name a directory with more room (PENSTOCK_SCRATCH) or raise the budget"));
  } catch (const FileError& error) {
    throw FileError(cat(error.what(), "; name a writable directory (PENSTOCK_SCRATCH)"));
  }
  const std::string self = cat("/proc/self/fd/", fd_.get());
  direct_fd_ = Fd(file_calls().openat(AT_FDCWD, self.c_str(), O_WRONLY | O_CLOEXEC | O_DIRECT, 0));
  writer_.fd = fd_.get();
  writer_.direct_fd = direct_fd_.get();
}

ScratchFile::~ScratchFile() {
  if (mapped_ != nullptr) file_calls().munmap(mapped_, static_cast<std::size_t>(size_));
}

void ScratchFile::write(std::int64_t offset, const void* data, std::int64_t bytes) {
  PENSTOCK_CHECK(offset >= 0 && bytes >= 0 && bytes <= size_ - offset, name_, ": ", bytes, " bytes at ", offset);
  writer_.write(static_cast<const std::byte*>(data), offset, offset + bytes, name_);
}

void ScratchFile::write_cells(std::int64_t offset, std::int64_t stride, const void* data, std::int64_t cell,
                              std::int64_t n) {
  const std::int64_t reach = (n - 1) * stride;
  const std::int64_t low = offset + std::min<std::int64_t>(reach, 0);
  PENSTOCK_CHECK(n > 0 && std::abs(stride) >= cell && low >= 0 && low + std::abs(reach) + cell <= size_, name_, ": ", n,
                 " cells at ", offset);
  writer_.write_cells(static_cast<const std::byte*>(data), offset, stride, cell, n, name_);
}

std::byte* ScratchFile::mapped() {
  if (mapped_ == nullptr && size_ > 0) {
    void* const address =
        file_calls().mmap(nullptr, static_cast<std::size_t>(size_), PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (address == MAP_FAILED) raise_errno(name_, -1, cat("cannot map ", bytes_text(size_)), errno);
    mapped_ = static_cast<std::byte*>(address);
  }
  return mapped_;
}

void ScratchFile::drop_mapped() const {
  // Advice: a failure costs memory, not correctness.
  if (mapped_ != nullptr) file_calls().madvise(mapped_, static_cast<std::size_t>(size_), MADV_DONTNEED);
}

Fd ScratchFile::finish() {
  drop_mapped();
  {
    const measure::Span span(measure::Step::k_sync);
    sync_data(fd_.get(), name_);
  }
  Fd reader(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!reader) raise_errno(name_, -1, "cannot open it for reading", errno);
  return reader;
}

}  // namespace penstock::store
