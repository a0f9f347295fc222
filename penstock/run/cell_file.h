// SPDX-License-Identifier: Apache-2.0
// Scratch files that are read once they are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "penstock/run/lines.h"
#include "penstock/store/file_source.h"
#include "penstock/store/scratch_file.h"
#include "penstock/type/shape.h"

namespace penstock::run {

/// Ends writing; what was written, to be read.
std::shared_ptr<store::FileSource> source_of(store::ScratchFile& scratch, DType dtype, const Layout& layout);

/// n cells of some bytes each in a scratch file: first written, in any order, then read.
class CellFile {
 public:
  CellFile(std::int64_t n, std::int64_t cell);

  std::int64_t cell() const { return cell_; }
  void write(std::int64_t first, const std::byte* cells, std::int64_t n) {
    scratch_.write(first * cell_, cells, n * cell_);
  }
  /// Ends writing.
  void finish();
  store::FileBytes read(Range cells) const;
  /// Bytes of the pool that reading takes.
  static std::int64_t read_bytes(std::int64_t n, std::int64_t cell) {
    return store::FileSource::buffer_bytes(n * cell);
  }

 private:
  std::int64_t cell_;
  store::ScratchFile scratch_;
  std::shared_ptr<const store::FileSource> file_;
};

}  // namespace penstock::run
