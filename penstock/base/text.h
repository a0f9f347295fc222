// SPDX-License-Identifier: Apache-2.0
// Text of sizes, and sizes from text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// "1.5 GiB", "512 B".
std::string bytes_text(std::int64_t bytes);

/// Bytes from "2GiB", "500MB", "64k", "1048576"; "50%" is of `whole`. KB, MB ... are powers of 1000; K, KiB,
/// M, MiB ... powers of 1024. Throws ArgumentError naming the text for anything else, for sizes below 0 or over 2^62.
std::int64_t parse_bytes(std::string_view text, std::int64_t whole);

/// A whole number of at least 0; throws ArgumentError naming the text for anything else.
std::int64_t parse_count(std::string_view text);

/// The candidate that differs least from `name` (edit distance at most a third of its length), or "".
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace penstock
