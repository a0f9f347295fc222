// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/npy_header.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "penstock/base/error.h"
#include "penstock/store/npy_literal.h"

namespace penstock::store {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::int64_t kShortest = 10;  // magic, version and the 2-byte length of version 1

std::uint32_t byte_at(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::uint32_t>(bytes[at]);
}

/// The fixed part before the dict literal.
struct Preamble {
  int major = 0;
  std::int64_t begin = 0;  // of the literal
  std::int64_t length = 0;
  std::int64_t end() const { return begin + length; }
};

[[noreturn]] void raise_short(const std::string& path, const char* what, std::int64_t needed, std::int64_t present) {
  throw TruncatedFileError(
      cat(path, ": ", what, " needs ", needed, " bytes, the file has ", present, "; copy or write the file again"));
}

void check_magic(std::span<const std::byte> prefix, const std::string& path) {
  const std::size_t seen = std::min(prefix.size(), kMagic.size());
  if (std::memcmp(prefix.data(), kMagic.data(), seen) == 0) return;
  const std::string_view got(reinterpret_cast<const char*>(prefix.data()), seen);
  throw FormatError(
      cat(path, ": not a .npy file: field 'magic': expected ", quoted_text(kMagic), ", got ", quoted_text(got)));
}

Preamble parse_preamble(std::span<const std::byte> prefix, std::int64_t file_size, const std::string& path,
                        std::int64_t max_header) {
  if (!prefix.empty()) check_magic(prefix, path);
  if (file_size < kShortest) raise_short(path, "a .npy header", kShortest, file_size);
  PENSTOCK_CHECK(static_cast<std::int64_t>(prefix.size()) >= kShortest, "the prefix ends inside the preamble");
  const std::uint32_t major = byte_at(prefix, 6);
  const std::uint32_t minor = byte_at(prefix, 7);
  if (major < 1 || major > 3 || minor != 0) {
    throw FormatError(cat(path, ": field 'version': expected 1.0, 2.0 or 3.0, got ", major, ".", minor));
  }
  Preamble preamble{static_cast<int>(major), major == 1 ? 10 : 12, 0};
  if (file_size < preamble.begin) raise_short(path, "a .npy header", preamble.begin, file_size);
  PENSTOCK_CHECK(static_cast<std::int64_t>(prefix.size()) >= preamble.begin, "the prefix ends inside the preamble");
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  for (std::size_t i = 0; i < length_bytes; ++i) preamble.length |= std::int64_t{byte_at(prefix, 8 + i)} << (8 * i);
  if (preamble.length > max_header) {
    throw FormatError(cat(path, ": field 'header length': expected at most ", max_header, ", got ", preamble.length));
  }
  if (preamble.end() > file_size) raise_short(path, "the .npy header", preamble.end(), file_size);
  return preamble;
}

/// The dtype of a descr such as "<f4"; sets `swapped` when its byte order is not the machine's.
DType parse_descr(std::string_view descr, bool& swapped, const std::string& path) {
  std::string_view name = descr;
  char order = '=';
  if (!name.empty() && std::string_view("<>|=").find(name[0]) != std::string_view::npos) {
    order = name[0];
    name.remove_prefix(1);
  }
  for (int i = 0; i < kDTypeCount; ++i) {
    if (name != kDTypes[i].npy) continue;
    const auto dtype = static_cast<DType>(i);
    constexpr char kOther = std::endian::native == std::endian::little ? '>' : '<';
    swapped = order == kOther && size_of(dtype) > 1;
    return dtype;
  }
  raise_unsupported_descr(descr, name, path);
}

Layout make_layout(const NpyLiteral& literal, DType dtype, std::int64_t offset, const std::string& path) {
  try {
    const std::int64_t itemsize = size_of(dtype);
    // Refuses sizes that leave 64 bits; it counts an extent of 0 as 1, so that (0, 2**63-1) is refused as well.
    Layout layout = contiguous(literal.shape, itemsize);
    if (literal.fortran_order) {
      const Dims reversed(literal.shape.rbegin(), literal.shape.rend());
      const Dims strides = contiguous(reversed, itemsize).strides;
      layout.strides = Dims(strides.rbegin(), strides.rend());
    }
    layout.offset = offset;
    return layout;
  } catch (const ShapeError& error) {
    throw FormatError(
        cat(path, ": field 'shape': ", shape_text(literal.shape), " of ", name_of(dtype), ": ", error.what()));
  }
}

}  // namespace

std::int64_t npy_prefix_size(std::span<const std::byte> prefix, std::int64_t file_size) {
  std::int64_t size = 12;
  if (prefix.size() >= 12) {
    const bool first = byte_at(prefix, 6) == 1;
    std::int64_t length = 0;
    for (std::size_t i = 0; i < (first ? 2U : 4U); ++i) length |= std::int64_t{byte_at(prefix, 8 + i)} << (8 * i);
    size = (first ? 10 : 12) + length;
  }
  return std::min({std::max<std::int64_t>(size, 12), kMaxNpyPrefix, file_size});
}

FileFormat parse_npy_header(std::span<const std::byte> prefix, std::int64_t file_size, const std::string& path,
                            std::int64_t max_header) {
  const Preamble preamble = parse_preamble(prefix, file_size, path, max_header);
  PENSTOCK_CHECK(static_cast<std::int64_t>(prefix.size()) >= preamble.end(), "the prefix ends inside the header");
  const std::string_view text(reinterpret_cast<const char*>(prefix.data()) + preamble.begin,
                              static_cast<std::size_t>(preamble.length));
  const NpyLiteral literal = parse_npy_literal(text, preamble.major, path);

  FileFormat format;
  format.name = cat("npy ", preamble.major, ".0");
  format.dtype = parse_descr(literal.descr, format.swapped, path);
  format.layout = make_layout(literal, format.dtype, preamble.end(), path);
  // make_layout has checked the product.
  const std::int64_t bytes = count(literal.shape) * size_of(format.dtype);
  if (bytes > file_size - preamble.end()) {
    throw TruncatedFileError(cat(path, ": shape ", shape_text(literal.shape), " of ", name_of(format.dtype), " needs ",
                                 bytes, " bytes after the header, the file has ", file_size - preamble.end(),
                                 "; copy or write the file again"));
  }
  return format;
}

std::string make_npy_header(DType dtype, const Dims& shape, std::int64_t alignment) {
  constexpr char kNative = std::endian::native == std::endian::little ? '<' : '>';
  const char order = size_of(dtype) == 1 ? '|' : kNative;
  std::string text =
      cat("{'descr': '", order, row(dtype).npy, "', 'fortran_order': False, 'shape': ", shape_text(shape), ", }");
  const auto unit = static_cast<std::size_t>(alignment);
  // Version 1 as long as the padded text fits its 2-byte length.
  for (const std::size_t begin : {std::size_t{10}, std::size_t{12}}) {
    const std::size_t total = (begin + text.size() + 1 + unit - 1) / unit * unit;
    const std::size_t length = total - begin;
    if (begin == 10 && length > 0xFFFF) continue;
    std::string header(kMagic);
    header += begin == 10 ? '\1' : '\2';
    header += '\0';
    for (std::size_t i = 0; i < begin - 8; ++i) header += static_cast<char>(length >> (8 * i) & 0xFF);
    header += text;
    header.append(total - header.size() - 1, ' ');
    return header + '\n';
  }
  PENSTOCK_CHECK(false, "no header version takes ", text.size(), " bytes");
  return {};
}

}  // namespace penstock::store
