// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/partial_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/text.h"
#include "penstock/measure/span.h"
#include "penstock/store/npy_sink.h"

namespace penstock::store {
namespace {

constexpr std::string_view kMark = ".penstock-";
constexpr std::string_view kEnding = ".partial";
constexpr std::size_t kRandomDigits = 16;
constexpr int kCreateAttempts = 16;
// Names have at most 255 bytes; the mark, a pid, the random part and the ending take 45.
constexpr std::size_t kLongestStem = 200;

std::uint64_t random_number() {
  std::uint64_t value = 0;
  if (getrandom(&value, sizeof value, GRND_NONBLOCK) == sizeof value) return value;
  // Only uniqueness is wanted; O_EXCL finds what a clock and a counter leave.
  static std::atomic<std::uint64_t> counter{0};
  const auto now = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  return (now + ++counter) * 0x9E3779B97F4A7C15u;
}

std::string temporary_name(const std::string& name, pid_t pid) {
  char digits[kRandomDigits + 1];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(random_number()));
  return cat(".", name.substr(0, kLongestStem), kMark, pid, "-", digits, kEnding);
}

/// The process in a temporary file's name; nothing for other names.
std::optional<pid_t> owner_in(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(kEnding)) return std::nullopt;
  const std::size_t mark = name.rfind(kMark);
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  const std::string_view middle = name.substr(mark + kMark.size(), name.size() - kEnding.size() - mark - kMark.size());
  pid_t pid = 0;
  const auto [end, status] = std::from_chars(middle.data(), middle.data() + middle.size(), pid);
  if (status != std::errc() || pid <= 0) return std::nullopt;
  const std::string_view rest = middle.substr(static_cast<std::size_t>(end - middle.data()));
  const bool random = rest.size() == kRandomDigits + 1 && rest[0] == '-' &&
                      rest.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
  return random ? std::optional(pid) : std::nullopt;
}

bool is_unsupported(int error) { return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM; }

}  // namespace

PartialFile::PartialFile(std::string path, bool overwrite, std::int64_t size)
    : path_(std::move(path)), overwrite_(overwrite), owner_(getpid()) {
  directory_ = open_directory_of(path_);
  name_ = file_name_of(path_);
  if (name_.empty()) throw UnsafePathError(cat(path_, " names a directory; add a file name"));
  look_at_target();
  create();
  try {
    reserve(size);
  } catch (...) {
    discard();
    throw;
  }
}

/// Refuses what must not be replaced, and keeps the permissions of what may.
void PartialFile::look_at_target() {
  struct stat facts = {};
  if (file_calls().fstatat(directory_.get(), name_.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) raise_errno(path_, -1, "cannot look at the output", errno);
    return;
  }
  if (!S_ISREG(facts.st_mode)) {
    const char* const kind = S_ISLNK(facts.st_mode)   ? "a symbolic link; name the file it points to"
                             : S_ISDIR(facts.st_mode) ? "a directory; add a file name"
                                                      : "a device, FIFO or socket; name a regular file";
    throw UnsafePathError(cat(path_, " is ", kind));
  }
  if (!overwrite_) raise_exists();
  mode_ = facts.st_mode & 0777;
}

void PartialFile::raise_exists() const {
  throw FileError(cat(path_, " exists; pass overwrite to replace it or choose another name"), EEXIST);
}

void PartialFile::create() {
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  // A private file stays private from its first byte on; a new one follows the umask.
  const mode_t mode = mode_ == 0 ? 0666 : mode_;
  for (int attempt = 0; !fd_; ++attempt) {
    const std::string name = temporary_name(name_, owner_);
    fd_ = Fd(file_calls().openat(directory_.get(), name.c_str(), kFlags, mode));
    if (fd_) {
      temporary_ = name;
    } else if ((errno != EEXIST && errno != EINTR) || attempt == kCreateAttempts) {
      raise_errno(path_, -1, "cannot create a temporary file beside it", errno);
    }
  }
  // The lock says "in use" to stale_partials; a file system without locks loses that and nothing else.
  // It waits for a look of stale_partials to pass.
  file_calls().flock(fd_.get(), LOCK_EX);
  direct_fd_ =
      Fd(file_calls().openat(directory_.get(), temporary_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECT, 0));
}

void PartialFile::reserve(std::int64_t size) {
  if (mode_ != 0 && file_calls().fchmod(fd_.get(), mode_) != 0 && !is_unsupported(errno)) {
    raise_errno(path_, -1, "cannot set the permissions of the new file", errno);
  }
  reserve_size(fd_.get(), size, path_);
}

void PartialFile::check_writable() const {
  if (getpid() != owner_) {
    throw FileError(
        cat(path_, ": this output belongs to process ", owner_, ", which forked; write and commit it there"));
  }
  if (temporary_.empty() || poisoned_)
    throw FileError(cat(path_, ": this output is already committed, aborted or failed"));
}

void PartialFile::publish(bool power) {
  check_writable();
  poisoned_ = true;  // until the end is reached: neither the sync nor anything after it is ever tried twice
  if (power) {
    const measure::Span span(measure::Step::k_sync);
    sync_data(fd_.get(), path_);
  }
  direct_fd_.reset();
  close_checked(std::move(fd_), path_);
  rename();
  temporary_.clear();
  if (!power) return;
  const measure::Span span(measure::Step::k_sync);
  sync_directory(directory_.get(), path_);
}

void PartialFile::rename() {
  if (!overwrite_) return rename_new();
  if (file_calls().renameat2(directory_.get(), temporary_.c_str(), directory_.get(), name_.c_str(), 0) != 0) {
    raise_errno(path_, -1, "cannot give the finished file its name", errno);
  }
}

/// Takes the name only if it is still free.
void PartialFile::rename_new() {
  const int at = directory_.get();
  const char* const from = temporary_.c_str();
  const char* const to = name_.c_str();
  if (file_calls().renameat2(at, from, at, to, RENAME_NOREPLACE) == 0) return;
  if (errno == EEXIST) raise_exists();
  if (!is_unsupported(errno)) raise_errno(path_, -1, "cannot give the finished file its name", errno);
  // A second name, then away with the first: the same in two steps, for file systems without the flag.
  if (file_calls().linkat(at, from, at, to, 0) == 0) {
    file_calls().unlinkat(at, from, 0);
    return;
  }
  if (errno == EEXIST) raise_exists();
  if (!is_unsupported(errno)) raise_errno(path_, -1, "cannot give the finished file its name", errno);
  // No hard links either (FAT): the check and the rename are apart, which is the best there is.
  struct stat facts = {};
  if (file_calls().fstatat(at, to, &facts, AT_SYMLINK_NOFOLLOW) == 0) raise_exists();
  if (file_calls().renameat2(at, from, at, to, 0) != 0) {
    raise_errno(path_, -1, "cannot give the finished file its name", errno);
  }
}

void PartialFile::discard() noexcept {
  if (!temporary_.empty() && getpid() == owner_) file_calls().unlinkat(directory_.get(), temporary_.c_str(), 0);
  temporary_.clear();
  fd_.reset();
  direct_fd_.reset();
}

namespace {

// A writer locks its file right after creating it; a younger file without a lock may be in between.
constexpr std::time_t kSecondsToLock = 10;

/// Whether a writer is at work on the file. The lock decides: a pid means little, as another process may have it by
/// now, and every container has a process 1.
bool in_use(int directory, const char* name, pid_t owner) {
  const bool alive = kill(owner, 0) == 0 || errno != ESRCH;
  // For writing, as network file systems lock exclusively only then.
  const Fd fd(openat(directory, name, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  struct stat facts = {};
  if (!fd || fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return true;  // nobody's business
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return errno == EWOULDBLOCK || alive;
  return alive && std::time(nullptr) - facts.st_mtim.tv_sec < kSecondsToLock;
}

}  // namespace

std::vector<std::string> stale_partials(const std::string& directory) {
  check_path(directory);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(directory.c_str()), closedir);
  if (!listing) raise_errno(directory, -1, "cannot list the directory", errno);
  std::vector<std::string> found;
  for (const dirent* entry = readdir(listing.get()); entry != nullptr; entry = readdir(listing.get())) {
    const std::optional<pid_t> owner = owner_in(entry->d_name);
    if (!owner || in_use(dirfd(listing.get()), entry->d_name, *owner)) continue;
    found.push_back((directory.ends_with('/') ? directory : directory + '/') + entry->d_name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace penstock::store
