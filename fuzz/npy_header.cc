// SPDX-License-Identifier: Apache-2.0
// The .npy header from arbitrary bytes: a layout inside the file or one of three errors, and nothing else.
#include "penstock/store/npy_header.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>

#include "penstock/base/error.h"

namespace {

using penstock::ByteRange;
using penstock::store::FileFormat;

void require(bool holds) {
  if (!holds) std::abort();
}

std::optional<FileFormat> parse(std::span<const std::byte> prefix, std::int64_t file_size) {
  try {
    return penstock::store::parse_npy_header(prefix, file_size, "f.npy");
  } catch (const penstock::FormatError&) {
  } catch (const penstock::TruncatedFileError&) {
  } catch (const penstock::DTypeError&) {
  }
  return std::nullopt;  // anything else escapes and is a finding
}

void check(const FileFormat& format, std::span<const std::byte> file, std::int64_t file_size) {
  const std::int64_t itemsize = penstock::size_of(format.dtype);
  require(format.layout.rank() <= penstock::kMaxRank);
  require(format.layout.strides.size() == format.layout.shape.size());
  const ByteRange range = penstock::byte_range(format.layout, itemsize);
  require(range.begin >= 0 && range.end <= file_size);
  require(range.size() == 0 || range.begin == format.layout.offset);
  require(range.size() == format.layout.size() * itemsize);

  // The header alone says the same, and what it says can be written and read again.
  const auto again = parse(file.first(static_cast<std::size_t>(format.layout.offset)), file_size);
  require(again && again->layout == format.layout && again->dtype == format.dtype && again->swapped == format.swapped);
  const std::string header = penstock::store::make_npy_header(format.dtype, format.layout.shape);
  const auto bytes = std::as_bytes(std::span(header));
  const auto back = parse(bytes, INT64_MAX);
  require(back && back->layout.shape == format.layout.shape && back->dtype == format.dtype);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  // Once as the whole file and once as the start of an endless one.
  for (const std::int64_t file_size : {static_cast<std::int64_t>(size), INT64_MAX}) {
    const std::int64_t needed = penstock::store::npy_prefix_size(file, file_size);
    require(needed <= penstock::store::kMaxNpyPrefix && needed <= file_size);
    if (needed > static_cast<std::int64_t>(size)) continue;
    if (const auto format = parse(file, file_size)) check(*format, file, file_size);
  }
  return 0;
}
