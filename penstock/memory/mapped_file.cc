// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/mapped_file.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/file.h"
#include "penstock/base/machine.h"
#include "penstock/base/text.h"

namespace penstock::memory {
namespace {

constexpr std::int64_t kResidencySamples = 256;

std::int64_t round_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

MappedFile::MappedFile(int fd, std::int64_t size, const std::string& path) {
  if (size == 0) return;  // the system maps no empty ranges, and there is nothing to read
  void* const address = file_calls().mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) raise_errno(path, -1, cat("cannot map ", bytes_text(size)), errno);
  data_ = static_cast<std::byte*>(address);
  size_ = size;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) file_calls().munmap(data_, static_cast<std::size_t>(size_));
}

double MappedFile::residency(std::int64_t begin, std::int64_t end) const {
  begin = std::max<std::int64_t>(begin, 0);
  end = std::min(end, size_);
  if (begin >= end) return 1.0;
  const std::int64_t page = page_size();
  const std::int64_t first = begin / page;
  const std::int64_t pages = round_up(end, page) / page - first;
  const std::int64_t samples = std::min(pages, kResidencySamples);
  std::int64_t resident = 0;
  for (std::int64_t i = 0; i < samples; ++i) {
    const std::int64_t at = pages * (2 * i + 1) / (2 * samples);  // the middle of the i-th of `samples` equal parts
    unsigned char found = 0;
    std::byte* const address = data_ + (first + at) * page;
    if (file_calls().mincore(address, 1, &found) == 0 && (found & 1) != 0) ++resident;
  }
  return static_cast<double>(resident) / static_cast<double>(samples);
}

void MappedFile::drop(std::int64_t begin, std::int64_t end) const {
  const std::int64_t page = page_size();
  begin = round_up(std::max<std::int64_t>(begin, 0), page);
  end = end >= size_ ? round_up(size_, page) : end / page * page;
  if (begin >= end) return;
  // Advice: a failure costs memory, not correctness.
  file_calls().madvise(data_ + begin, static_cast<std::size_t>(end - begin), MADV_DONTNEED);
}

void MappedFile::will_need(std::int64_t begin, std::int64_t end) const {
  begin = std::max<std::int64_t>(begin, 0) / page_size() * page_size();
  end = std::min(end, size_);
  if (begin >= end) return;
  file_calls().madvise(data_ + begin, static_cast<std::size_t>(end - begin), MADV_WILLNEED);
}

}  // namespace penstock::memory
