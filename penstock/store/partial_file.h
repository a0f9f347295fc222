// SPDX-License-Identifier: Apache-2.0
// A file under a temporary name in its final directory, which gets its own name in one step or not at all.
//
//   data/out.npy  is written as  data/.out.npy.penstock-<pid>-<16 hex digits>.partial
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "penstock/base/file.h"

namespace penstock::store {

class PartialFile {
 public:
  /// Creates the temporary file with `size` bytes reserved. Throws as NpySink's constructor does.
  PartialFile(std::string path, bool overwrite, std::int64_t size);
  /// Discards unless published.
  ~PartialFile() { discard(); }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }
  /// Opened with O_DIRECT; -1 where the file system refuses.
  int direct_fd() const { return direct_fd_.get(); }

  /// Throws FileError when the file is published or discarded, or belongs to the parent process.
  void check_writable() const;

  /// Syncs (when `power`), renames and syncs the directory. Whatever fails, the file can't be published any more.
  void publish(bool power);

  /// Removes the temporary file; leaves it to its owner in a forked child.
  void discard() noexcept;

 private:
  void look_at_target();
  void create();
  void reserve(std::int64_t size);
  void rename();
  void rename_new();
  [[noreturn]] void raise_exists() const;

  std::string path_;
  std::string name_;       // within the directory
  std::string temporary_;  // name within the directory; empty when there is none to remove
  bool overwrite_;
  bool poisoned_ = false;
  mode_t mode_ = 0;  // of the file that is replaced; 0: none
  pid_t owner_;
  Fd directory_;
  Fd fd_;
  Fd direct_fd_;
};

}  // namespace penstock::store
