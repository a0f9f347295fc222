// SPDX-License-Identifier: Apache-2.0
// The dict literal of a .npy header, parsed by hand from untrusted text: nothing is evaluated, nothing is guessed.
//
//   literal: '{' [ entry { ',' entry } [','] ] '}'        entry: string ':' value
//   descr: string     fortran_order: True | False     shape: '(' [ integer { ',' integer } [','] ] ')'
//
// The three keys in any order, each once; either quote; blanks between tokens. A shape of one integer needs its comma,
// as in Python. Integers are decimal, without sign or leading zeros; in versions 1 and 2 Python 2's suffix L may
// follow.
#pragma once

#include <string>
#include <string_view>

#include "penstock/type/shape.h"

namespace penstock::store {

struct NpyLiteral {
  std::string descr;
  bool fortran_order = false;
  Dims shape;
};

/// Throws FormatError (DTypeError for a structured descr) naming `path`, the field, what was expected and what was got.
NpyLiteral parse_npy_literal(std::string_view text, int version, const std::string& path);

/// Throws DTypeError for a descr of NumPy's that Penstock does not hold, naming the dtype and the way out, and
/// FormatError for one that is none. `name` is `descr` without its byte order.
[[noreturn]] void raise_unsupported_descr(std::string_view descr, std::string_view name, const std::string& path);

/// At most 40 bytes of `text` in single quotes, unprintable ones as \xNN.
std::string quoted_text(std::string_view text);

}  // namespace penstock::store
