// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/npy_literal.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "penstock/base/error.h"

namespace penstock::store {
namespace {

constexpr std::string_view kKeys[] = {"descr", "fortran_order", "shape"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Parser {
 public:
  Parser(std::string_view text, int version, const std::string& path) : text_(text), version_(version), path_(path) {}

  NpyLiteral parse() {
    expect('{', "header", "'{'");
    while (!take('}')) {
      parse_entry();
      if (take(',')) continue;
      expect('}', "header", "',' or '}'");
      break;
    }
    skip_blanks();
    if (at_ < text_.size()) fail("header", "nothing but blanks behind '}'");
    for (std::size_t i = 0; i < std::size(kKeys); ++i) {
      if (!seen_[i]) throw FormatError(cat(path_, ": .npy header: field '", kKeys[i], "': expected once, got none"));
    }
    return literal_;
  }

 private:
  void parse_entry() {
    const std::string key = parse_string("header", "a key in quotes");
    const auto found = std::find(std::begin(kKeys), std::end(kKeys), key);
    if (found == std::end(kKeys)) {
      throw FormatError(cat(path_, ": .npy header: expected the fields 'descr', 'fortran_order' and 'shape', got ",
                            quoted_text(key)));
    }
    bool& seen = seen_[found - std::begin(kKeys)];
    if (seen) throw FormatError(cat(path_, ": .npy header: field '", key, "': expected once, got it twice"));
    seen = true;
    expect(':', key, "':'");
    if (key == "descr") parse_descr();
    if (key == "fortran_order") parse_order();
    if (key == "shape") parse_shape();
  }

  void parse_descr() {
    skip_blanks();
    if (peek() == '[') {
      throw DTypeError(cat(path_, ": field 'descr': a structured dtype, ", got(),
                           ", is not supported; save each field as an array of its own"));
    }
    literal_.descr = parse_string("descr", "a dtype in quotes such as '<f4'");
  }

  void parse_order() {
    skip_blanks();
    if (take_word("True")) {
      literal_.fortran_order = true;
    } else if (!take_word("False")) {
      fail("fortran_order", "True or False");
    }
  }

  void parse_shape() {
    expect('(', "shape", "a tuple of integers such as (3, 4)");
    bool comma = true;
    while (!take(')')) {
      if (!comma) fail("shape", "',' or ')'");
      if (literal_.shape.size() == kMaxRank) {
        throw FormatError(cat(path_, ": field 'shape': expected at most ", kMaxRank, " dimensions, got more"));
      }
      literal_.shape.push_back(parse_extent());
      comma = take(',');
    }
    if (literal_.shape.size() == 1 && !comma) {
      throw FormatError(cat(path_, ": field 'shape': expected a tuple such as (", literal_.shape[0],
                            ",), got the integer (", literal_.shape[0], ")"));
    }
  }

  std::int64_t parse_extent() {
    skip_blanks();
    if (text_.substr(at_).starts_with("True") || text_.substr(at_).starts_with("False")) {
      fail("shape", "integers, not a bool");
    }
    if (peek() == '-') fail("shape", "extents of at least 0");
    if (!is_digit(peek())) fail("shape", "an integer");
    const std::size_t begin = at_;
    std::int64_t value = 0;
    for (; is_digit(peek()); ++at_) {
      if (__builtin_mul_overflow(value, std::int64_t{10}, &value) ||
          __builtin_add_overflow(value, std::int64_t{peek() - '0'}, &value)) {
        at_ = begin;
        fail("shape", "extents of at most 2**63 - 1");
      }
    }
    if (at_ - begin > 1 && text_[begin] == '0') {
      at_ = begin;
      fail("shape", "integers without leading zeros");
    }
    if (peek() == 'L' && version_ < 3) ++at_;
    return value;
  }

  std::string parse_string(std::string_view field, std::string_view expected) {
    skip_blanks();
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail(field, expected);
    const std::size_t begin = at_ + 1;
    std::size_t end = begin;
    while (end < text_.size() && text_[end] != quote) {
      // No dtype and no key has any of these; an escape or a line break inside a string has no one meaning here.
      const auto c = static_cast<unsigned char>(text_[end]);
      if (c == '\\' || c < 0x20 || c > 0x7E) fail(field, "printable characters without escapes");
      ++end;
    }
    if (end == text_.size()) fail(field, "a closing quote");
    at_ = end + 1;
    return std::string(text_.substr(begin, end - begin));
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\n\r\f").find(text_[at_]) != std::string_view::npos) ++at_;
  }

  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  void expect(char c, std::string_view field, std::string_view expected) {
    if (!take(c)) fail(field, expected);
  }

  std::string got() const { return at_ < text_.size() ? quoted_text(text_.substr(at_)) : "the end of the header"; }

  [[noreturn]] void fail(std::string_view field, std::string_view expected) const {
    throw FormatError(
        cat(path_, ": .npy header at byte ", at_, ": field '", field, "': expected ", expected, ", got ", got()));
  }

  std::string_view text_;
  int version_;
  const std::string& path_;
  std::size_t at_ = 0;
  NpyLiteral literal_;
  bool seen_[std::size(kKeys)] = {};
};

struct Unsupported {
  char letter;
  const char* what;
  const char* fix;
};

constexpr Unsupported kUnsupported[] = {
    {'O', "object (pickled Python objects, which are never loaded)", "save numbers instead"},
    {'V', "void or structured", "save each field as an array of its own"},
    {'S', "byte string", "save numbers instead, such as .view('uint8')"},
    {'a', "byte string", "save numbers instead, such as .view('uint8')"},
    {'U', "text", "save numbers instead"},
    {'T', "text", "save numbers instead"},
    {'M', "datetime", "save .astype('int64')"},
    {'m', "timedelta", "save .astype('int64')"},
    {'f', "a float of another size", "save .astype('float64')"},
    {'g', "long double", "save .astype('float64')"},
    {'c', "a complex of another size", "save .astype('complex128')"},
    {'i', "an integer of another size", "save .astype('int64')"},
    {'u', "an integer of another size", "save .astype('uint64')"},
    {'b', "a bool of another size", "save .astype('bool')"},
};

/// A letter, digits, and for dates a unit in brackets: the form of every dtype NumPy writes.
bool looks_like_dtype(std::string_view name) {
  std::size_t at = 1;
  while (at < name.size() && is_digit(name[at])) ++at;
  const bool unit = at < name.size() && name[at] == '[' && name.back() == ']' && (name[0] == 'M' || name[0] == 'm');
  return at == name.size() || unit;
}

}  // namespace

NpyLiteral parse_npy_literal(std::string_view text, int version, const std::string& path) {
  return Parser(text, version, path).parse();
}

void raise_unsupported_descr(std::string_view descr, std::string_view name, const std::string& path) {
  for (const Unsupported& each : kUnsupported) {
    if (name.empty() || name[0] != each.letter || !looks_like_dtype(name)) continue;
    throw DTypeError(cat(path, ": field 'descr': ", quoted_text(descr), " is ", each.what,
                         ", which Penstock does not hold; ", each.fix));
  }
  throw FormatError(cat(path, ": field 'descr': expected a dtype such as '<f4', got ", quoted_text(descr)));
}

std::string quoted_text(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string out = "'";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out += c;
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(byte));
    out += escape;
  }
  return out + (text.size() > kLongest ? "'..." : "'");
}

}  // namespace penstock::store
