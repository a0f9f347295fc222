// SPDX-License-Identifier: Apache-2.0
// A read-only mapping of a regular file, and its page-cache facts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace penstock::memory {

/// Maps a whole open file, PROT_READ and shared. Move-only.
class MappedFile {
 public:
  MappedFile() = default;
  MappedFile(int fd, std::int64_t size, const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::byte* data() const { return data_; }
  std::int64_t size() const { return size_; }
  explicit operator bool() const { return data_ != nullptr; }

  /// The share of [begin, end) that the page cache holds, 0 to 1, from at most 256 sampled pages spread over it.
  double residency(std::int64_t begin, std::int64_t end) const;
  /// Unmaps the pages inside [begin, end) from this process; the page cache keeps them.
  void drop(std::int64_t begin, std::int64_t end) const;
  /// Tells the kernel that [begin, end) is read soon, in order.
  void will_need(std::int64_t begin, std::int64_t end) const;

 private:
  std::byte* data_ = nullptr;
  std::int64_t size_ = 0;
};

}  // namespace penstock::memory
