// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/cell_file.h"

namespace penstock::run {

std::shared_ptr<store::FileSource> source_of(store::ScratchFile& scratch, DType dtype, const Layout& layout) {
  auto file = std::make_shared<store::FileSource>(scratch.name(), store::FileFormat{dtype, false, layout, "raw"});
  file->attach(scratch.finish().release());
  return file;
}

CellFile::CellFile(std::int64_t n, std::int64_t cell) : cell_(cell), scratch_(store::scratch_directory(""), n * cell) {}

void CellFile::finish() { file_ = source_of(scratch_, DType::k_uint8, contiguous({scratch_.size()}, 1)); }

store::FileBytes CellFile::read(Range cells) const {
  return file_->read({cells.begin * cell_, cells.end * cell_}, store::ReadMode::kBuffered);
}

}  // namespace penstock::run
