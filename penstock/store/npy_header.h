// SPDX-License-Identifier: Apache-2.0
// The .npy header, read from untrusted bytes and written.
//
//   \x93NUMPY | major | minor | header length (2 bytes in v1, 4 in v2 and v3) | header | data
//   header: a Python dict literal {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } padded to 64 bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "penstock/store/file_source.h"

namespace penstock::store {

/// The longest header that is read; a parameter of the parser so that a test can lower it.
inline constexpr std::int64_t kMaxNpyHeader = 64 << 10;

/// Bytes of the file that parse_npy_header needs to see at most.
inline constexpr std::int64_t kMaxNpyPrefix = kMaxNpyHeader + 12;

/// Parses the file's first bytes. `file_size` is the whole file's, checked against shape x itemsize before anything is
/// allocated. Throws FormatError, TruncatedFileError or DTypeError naming `path`, field, expected and got.
FileFormat parse_npy_header(std::span<const std::byte> prefix, std::int64_t file_size, const std::string& path,
                            std::int64_t max_header = kMaxNpyHeader);

/// The bytes of the file, from its start, that parse_npy_header has to see, as far as `prefix` tells; at most
/// kMaxNpyPrefix and `file_size`.
std::int64_t npy_prefix_size(std::span<const std::byte> prefix, std::int64_t file_size);

/// A version 1.0 header (2.0 when the shape is too long for it) padded with spaces to a multiple of `alignment` bytes.
std::string make_npy_header(DType dtype, const Dims& shape, std::int64_t alignment = 64);

}  // namespace penstock::store
