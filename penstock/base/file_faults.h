// SPDX-License-Identifier: Apache-2.0
// For tests: while an object lives, the Nth system call of the file table fails, and transfers may come up short.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <type_traits>

#include "penstock/base/file.h"

namespace penstock {

struct FaultPlan {
  std::int64_t nth = 0;  // 1 is the first call; 0: none fails
  bool sticky = false;   // every call from the nth on fails
  int error = EIO;
  std::int64_t longest = 0;  // bytes a pread or pwrite moves at most; 0: no limit
};

class FileFaults {
 public:
  explicit FileFaults(const FaultPlan& plan) { install(plan, nullptr); }

  /// Counts and fails one entry only: `FileFaults(plan, &FileCalls::fsync)`.
  template <class Entry>
  FileFaults(const FaultPlan& plan, Entry FileCalls::*entry) {
    install(plan, &(file_calls().*entry));
  }

  ~FileFaults() { file_calls() = system_file_calls(); }
  FileFaults(const FileFaults&) = delete;
  FileFaults& operator=(const FileFaults&) = delete;

  /// Calls counted so far.
  std::int64_t calls() const { return count_.load(); }

 private:
  template <auto A, auto B>
  struct Same : std::false_type {};
  template <auto A>
  struct Same<A, A> : std::true_type {};
  template <auto A, auto B>
  static constexpr bool kSame = Same<A, B>::value;

  template <auto Entry>
  static bool fails() {
    if (only_ != nullptr && only_ != static_cast<const void*>(&(file_calls().*Entry))) return false;
    const std::int64_t i = ++count_;
    const bool hit = plan_.nth > 0 && (plan_.sticky ? i >= plan_.nth : i == plan_.nth);
    if (hit) errno = plan_.error;
    return hit;
  }

  /// Puts a wrapper that may fail in the place of `Entry`.
  template <auto Entry, class Result, class... Arguments>
  static void wrap(Result (*FileCalls::*)(Arguments...)) {
    file_calls().*Entry = [](Arguments... arguments) -> Result {
      if constexpr (kSame<Entry, &FileCalls::close>) {
        // The descriptor is given up even when the close reports an error.
        const Result result = (system_file_calls().*Entry)(arguments...);
        return fails<Entry>() ? -1 : result;
      } else if constexpr (kSame<Entry, &FileCalls::fadvise>) {
        return fails<Entry>() ? plan_.error : (system_file_calls().*Entry)(arguments...);
      } else if constexpr (kSame<Entry, &FileCalls::mmap>) {
        return fails<Entry>() ? MAP_FAILED : (system_file_calls().*Entry)(arguments...);
      } else if constexpr (kSame<Entry, &FileCalls::pread> || kSame<Entry, &FileCalls::pwrite>) {
        return fails<Entry>() ? -1 : shortened<Entry>(arguments...);
      } else {
        return fails<Entry>() ? -1 : (system_file_calls().*Entry)(arguments...);
      }
    };
  }

  template <auto Entry, class Data>
  static ssize_t shortened(int fd, Data data, std::size_t bytes, off_t offset) {
    if (plan_.longest > 0) bytes = std::min(bytes, static_cast<std::size_t>(plan_.longest));
    return (system_file_calls().*Entry)(fd, data, bytes, offset);
  }

  void install(const FaultPlan& plan, const void* only) {
    plan_ = plan;
    only_ = only;
    count_ = 0;
    wrap_all<&FileCalls::openat, &FileCalls::close, &FileCalls::fstat, &FileCalls::fstatat, &FileCalls::fstatvfs,
             &FileCalls::pread, &FileCalls::pwrite, &FileCalls::fallocate, &FileCalls::ftruncate, &FileCalls::fchmod,
             &FileCalls::flock, &FileCalls::fdatasync, &FileCalls::fsync, &FileCalls::renameat2, &FileCalls::linkat,
             &FileCalls::unlinkat, &FileCalls::mmap, &FileCalls::madvise, &FileCalls::mincore, &FileCalls::fadvise>();
  }

  template <auto... Entries>
  static void wrap_all() {
    (wrap<Entries>(Entries), ...);
  }

  inline static FaultPlan plan_;
  inline static const void* only_ = nullptr;
  inline static std::atomic<std::int64_t> count_{0};
};

}  // namespace penstock
