// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/npy_header.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/store/npy_literal.h"

namespace penstock::store {
namespace {

constexpr std::int64_t kHuge = std::int64_t{1} << 62;  // a file that is never too short

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// A header of version `major` around `literal`, unpadded.
std::string header_of(const std::string& literal, int major = 1) {
  std::string text = std::string("\x93NUMPY") + static_cast<char>(major) + '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) text += static_cast<char>(literal.size() >> (8 * i) & 0xFF);
  return text + literal;
}

FileFormat parse(const std::string& literal, int major = 1, std::int64_t file_size = kHuge) {
  return parse_npy_header(bytes_of(header_of(literal, major)), file_size, "f.npy");
}

enum class Wrong { kFormat, kDType, kTruncated };

/// Expects that `body` throws the class `wrong` with all of `says` in the text.
template <class Body>
void expect_refused(Wrong wrong, const std::vector<std::string>& says, const std::string& what, Body body) {
  try {
    body();
    ADD_FAILURE() << "accepted: " << what;
  } catch (const Error& error) {
    const ErrorCode expected = wrong == Wrong::kFormat  ? ErrorCode::kFormatError
                               : wrong == Wrong::kDType ? ErrorCode::kDTypeError
                                                        : ErrorCode::kTruncatedFileError;
    EXPECT_EQ(error.code(), expected) << what << "\n  " << error.what();
    EXPECT_TRUE(std::string(error.what()).starts_with("f.npy: ")) << error.what();
    for (const std::string& each : says) {
      EXPECT_NE(std::string(error.what()).find(each), std::string::npos)
          << what << "\n  " << error.what() << "\n  lacks " << each;
    }
  }
}

TEST(NpyHeader, ReadsWhatNumPyWrites) {
  const FileFormat c = parse("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }          \n");
  EXPECT_EQ(c.dtype, DType::k_float32);
  EXPECT_FALSE(c.swapped);
  EXPECT_EQ(c.name, "npy 1.0");
  EXPECT_EQ(c.layout, (Layout{{3, 4}, {16, 4}, 80}));
  const FileFormat f = parse("{'descr': '>f8', 'fortran_order': True, 'shape': (2, 3, 4), }", 2);
  EXPECT_EQ(f.dtype, DType::k_float64);
  EXPECT_TRUE(f.swapped);
  EXPECT_EQ(f.name, "npy 2.0");
  EXPECT_EQ(f.layout, (Layout{{2, 3, 4}, {8, 16, 48}, 12 + 61}));
  EXPECT_EQ(parse("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", 3).layout, (Layout{{}, {}, 12 + 55}));
}

TEST(NpyHeader, TakesTheThreeKeysInAnyForm) {
  for (const char* literal : {
           "{'descr':'<i4','fortran_order':False,'shape':(7,)}",
           "{\"descr\": \"<i4\", \"fortran_order\": False, \"shape\": (7,)}",
           "{'shape': (7,), 'descr': '<i4', 'fortran_order': False}",
           "{'fortran_order': False, 'shape': (7,), 'descr': \"<i4\",}",
           " \t\n\r\f{ 'descr' : '<i4' ,\n 'fortran_order' : False , 'shape' : ( 7 , ) , } \n\n",
           "{'descr': '=i4', 'fortran_order': False, 'shape': (7,), }",
           "{'descr': '|i4', 'fortran_order': False, 'shape': (7,), }",
           "{'descr': 'i4', 'fortran_order': False, 'shape': (7,), }",
           "{'descr': '<i4', 'fortran_order': False, 'shape': (7L,), }",
       }) {
    const FileFormat format = parse(literal);
    EXPECT_EQ(format.dtype, DType::k_int32) << literal;
    EXPECT_FALSE(format.swapped) << literal;
    EXPECT_EQ(format.layout.shape, (Dims{7})) << literal;
  }
}

TEST(NpyHeader, KnowsEveryDTypeInBothByteOrders) {
  for (int i = 0; i < kDTypeCount; ++i) {
    for (const char order : {'<', '>', '|', '='}) {
      const std::string descr = order + std::string(kDTypes[i].npy);
      const FileFormat format = parse("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (1,), }");
      EXPECT_EQ(index_of(format.dtype), i) << descr;
      EXPECT_EQ(format.swapped, order == '>' && kDTypes[i].size > 1) << descr;
    }
  }
}

TEST(NpyHeader, TakesEmptyAndLargeShapes) {
  const auto shape = [](const std::string& text) {
    return parse("{'descr': '|u1', 'fortran_order': False, 'shape': " + text + ", }").layout.shape;
  };
  EXPECT_EQ(shape("()"), (Dims{}));
  EXPECT_EQ(shape("(0,)"), (Dims{0}));
  EXPECT_EQ(shape("(0, 5)"), (Dims{0, 5}));
  EXPECT_EQ(shape("(5, 0, 7,)"), (Dims{5, 0, 7}));
  EXPECT_EQ(shape("(2305843009213693952,)"), (Dims{std::int64_t{1} << 61})) << "a file of that size";
  std::string ones = "(";
  for (int i = 0; i < kMaxRank; ++i) ones += "1, ";
  EXPECT_EQ(shape(ones + ")").size(), std::size_t{kMaxRank});
}

struct BadLiteral {
  const char* literal;
  Wrong wrong;
  std::vector<std::string> says;
};

constexpr Wrong kF = Wrong::kFormat;
constexpr Wrong kD = Wrong::kDType;

TEST(NpyHeader, RefusesBrokenLiterals) {
  const BadLiteral kRows[] = {
      {"", kF, {"'header'", "'{'", "end of the header"}},
      {" ", kF, {"'{'"}},
      {"None", kF, {"'{'", "'None'"}},
      {"[]", kF, {"'{'"}},
      {"()", kF, {"'{'"}},
      {"{", kF, {"a key in quotes", "end of the header"}},
      {"}", kF, {"'{'"}},
      {"{}", kF, {"'descr'", "once", "none"}},
      {"{,}", kF, {"a key"}},
      {"{{}", kF, {"a key"}},
      {"{1: 2}", kF, {"a key"}},
      {"{'descr'", kF, {"'descr'", "':'"}},
      {"{'descr'}", kF, {"'descr'", "':'"}},
      {"{'descr':", kF, {"'descr'", "a dtype in quotes"}},
      {"{'descr' '<f4'}", kF, {"':'"}},
      {"{'descr': '<f4'", kF, {"',' or '}'"}},
      {"{'descr': '<f4'}", kF, {"'fortran_order'", "none"}},
      {"{'descr': '<f4', 'fortran_order': False}", kF, {"'shape'", "none"}},
      {"{'descr': '<f4', 'shape': (1,)}", kF, {"'fortran_order'", "none"}},
      {"{'fortran_order': False, 'shape': (1,)}", kF, {"'descr'", "none"}},
      {"{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", kF, {"',' or '}'"}},
      {"{'descr': '<f4',, 'fortran_order': False, 'shape': (1,)}", kF, {"a key"}},
      {"{, 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"a key"}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,),,}", kF, {"a key"}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", kF, {"',' or '}'", "end of the header"}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}}", kF, {"nothing but blanks", "'}'"}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", kF, {"nothing but blanks"}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)};", kF, {"nothing but blanks"}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}.x", kF, {"nothing but blanks"}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} or {}", kF, {"nothing but blanks"}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} # note", kF, {"nothing but blanks"}},
      {"x = {'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"'{'"}},
      {"({'descr': '<f4', 'fortran_order': False, 'shape': (1,)})", kF, {"'{'"}},
      {"dict(descr='<f4')", kF, {"'{'"}},
      {"__import__('os').system('x')", kF, {"'{'"}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", kF, {"got 'x'"}},
      {"{'Descr': '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"got 'Descr'"}},
      {"{' descr': '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"got ' descr'"}},
      {"{'': '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"got ''"}},
      {"{b'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"a key in quotes"}},
      {"{u'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"a key in quotes"}},
      {"{descr: '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"a key in quotes"}},
      {"{'descr\": '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"got"}},
      {"{'descr: '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"got"}},
      {"{'des\\x63r': '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"without escapes"}},
      {"{'des\ncr': '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"printable"}},
      {"{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", kF, {"'descr'", "twice"}},
      {"{'descr': '<f4', 'fortran_order': False, 'fortran_order': True, 'shape': (1,)}",
       kF,
       {"'fortran_order'", "twice"}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (2,)}", kF, {"'shape'", "twice"}},
      {"{**{}, 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", kF, {"a key"}},
  };
  for (const BadLiteral& each : kRows) {
    expect_refused(each.wrong, each.says, each.literal, [&] { parse(each.literal); });
  }
}

TEST(NpyHeader, RefusesBadDTypes) {
  const BadLiteral kRows[] = {
      {"'|O'", kD, {"'|O'", "object", "pickle", "save numbers"}},
      {"'O'", kD, {"object"}},
      {"'|O8'", kD, {"object"}},
      {"'<O4'", kD, {"object"}},
      {"'|V0'", kD, {"void", "each field"}},
      {"'|V8'", kD, {"void"}},
      {"'V'", kD, {"void"}},
      {"'|S0'", kD, {"byte string"}},
      {"'|S5'", kD, {"byte string"}},
      {"'|a5'", kD, {"byte string"}},
      {"'<U0'", kD, {"text"}},
      {"'<U12'", kD, {"text"}},
      {"'>U12'", kD, {"text"}},
      {"'|T16'", kD, {"text"}},
      {"'<M8[ns]'", kD, {"datetime", "int64"}},
      {"'<M8'", kD, {"datetime"}},
      {"'>M8[25s]'", kD, {"datetime"}},
      {"'<m8[us]'", kD, {"timedelta"}},
      {"'<m8'", kD, {"timedelta"}},
      {"'<f16'", kD, {"'<f16'", "float64"}},
      {"'<f12'", kD, {"float64"}},
      {"'<f1'", kD, {"float64"}},
      {"'<f0'", kD, {"float64"}},
      {"'<f'", kD, {"float64"}},
      {"'<f3'", kD, {"float64"}},
      {"'<f44'", kD, {"float64"}},
      {"'<f04'", kD, {"float64"}},
      {"'<g'", kD, {"long double"}},
      {"'<g16'", kD, {"long double"}},
      {"'<c32'", kD, {"complex128"}},
      {"'<c4'", kD, {"complex128"}},
      {"'<c'", kD, {"complex128"}},
      {"'<i3'", kD, {"int64"}},
      {"'<i16'", kD, {"int64"}},
      {"'<i0'", kD, {"int64"}},
      {"'<i'", kD, {"int64"}},
      {"'<u16'", kD, {"uint64"}},
      {"'<u5'", kD, {"uint64"}},
      {"'|b2'", kD, {"bool"}},
      {"'|b'", kD, {"bool"}},
      {"[('x', '<f4'), ('y', '<i8')]", kD, {"structured", "each field"}},
      {"[]", kD, {"structured"}},
      {"[('x', '<f4', (1, 2)", kD, {"structured"}},
      {"''", kF, {"'descr'", "''"}},
      {"'<'", kF, {"'<'"}},
      {"'<<f4'", kF, {"'<<f4'"}},
      {"'!f4'", kF, {"'!f4'"}},
      {"'^f4'", kF, {"'^f4'"}},
      {"' <f4'", kF, {"' <f4'"}},
      {"'<f4 '", kF, {"'<f4 '"}},
      {"'< f4'", kF, {"'< f4'"}},
      {"'<F4'", kF, {"'<F4'"}},
      {"'<f-4'", kF, {"'<f-4'"}},
      {"'<f4x'", kF, {"'<f4x'"}},
      {"'<x4'", kF, {"'<x4'"}},
      {"'4'", kF, {"'4'"}},
      {"'<4'", kF, {"'<4'"}},
      {"'f4<'", kF, {"'f4<'"}},
      {"'<f4,<f4'", kF, {"'<f4,<f4'"}},
      {"'(2,3)<f4'", kF, {"'(2,3)<f4'"}},
      {"'<M8[ns'", kF, {"'<M8[ns'"}},
      {"'<f8[ns]'", kF, {"'<f8[ns]'"}},
      {"'numpy.float32'", kF, {"'numpy.float32'"}},
      {"'os.system'", kF, {"'os.system'"}},
      {"'<f4\\n'", kF, {"without escapes"}},
      {"'<f\xC3\xA9'", kF, {"printable"}},
      {"'<f4", kF, {"',' or '}'", "fortran_order"}},
      {"\"<f4'", kF, {"a closing quote"}},
      {"<f4", kF, {"a dtype in quotes"}},
      {"b'<f4'", kF, {"a dtype in quotes"}},
      {"None", kF, {"a dtype in quotes", "'None"}},
      {"4", kF, {"a dtype in quotes"}},
      {"('<f4',)", kF, {"a dtype in quotes"}},
      {"('<f4')", kF, {"a dtype in quotes"}},
      {"{'names': []}", kF, {"a dtype in quotes"}},
      {"'<f' '4'", kF, {"',' or '}'"}},
  };
  for (const BadLiteral& each : kRows) {
    const std::string literal = std::string("{'descr': ") + each.literal + ", 'fortran_order': False, 'shape': (1,), }";
    expect_refused(each.wrong, each.says, each.literal, [&] { parse(literal); });
  }
}

TEST(NpyHeader, RefusesBadOrders) {
  for (const char* order : {"0", "1", "'False'", "None", "false", "true", "FALSE", "Falsey", "not True", "()", "",
                            "(False)", "False or True", "-1"}) {
    const std::string literal = std::string("{'descr': '<f4', 'fortran_order': ") + order + ", 'shape': (1,), }";
    const bool starts_well = std::string(order).starts_with("False");
    expect_refused(kF, {starts_well ? "',' or '}'" : "'fortran_order': expected True or False"}, order,
                   [&] { parse(literal); });
  }
}

TEST(NpyHeader, RefusesBadShapes) {
  const BadLiteral kRows[] = {
      {"", kF, {"a tuple of integers"}},
      {"3", kF, {"a tuple of integers", "'3"}},
      {"None", kF, {"a tuple of integers"}},
      {"[3, 4]", kF, {"a tuple of integers"}},
      {"'(3, 4)'", kF, {"a tuple of integers"}},
      {"{3, 4}", kF, {"a tuple of integers"}},
      {"3, 4", kF, {"a tuple of integers"}},
      {"(3)", kF, {"(3,)", "the integer (3)"}},
      {"(3", kF, {"an integer"}},
      {"(3,", kF, {"an integer"}},
      {"(3 4)", kF, {"',' or ')'"}},
      {"(3,,4)", kF, {"an integer"}},
      {"(,)", kF, {"an integer"}},
      {"(,3)", kF, {"an integer"}},
      {"(3;4)", kF, {"',' or ')'"}},
      {"((3, 4))", kF, {"an integer"}},
      {"((3,), 4)", kF, {"an integer"}},
      {"(3, 4]", kF, {"',' or ')'"}},
      {"(3, 4))", kF, {"',' or '}'"}},
      {"(-1,)", kF, {"at least 0", "'-1,)"}},
      {"(3, -4)", kF, {"at least 0"}},
      {"(-0,)", kF, {"at least 0"}},
      {"(-9223372036854775808,)", kF, {"at least 0"}},
      {"(+3,)", kF, {"an integer"}},
      {"(True, 3)", kF, {"not a bool", "'True, 3"}},
      {"(3, False)", kF, {"not a bool"}},
      {"(None,)", kF, {"an integer"}},
      {"('3',)", kF, {"an integer"}},
      {"(3.0,)", kF, {"',' or ')'"}},
      {"(3.,)", kF, {"',' or ')'"}},
      {"(.5,)", kF, {"an integer"}},
      {"(3e2,)", kF, {"',' or ')'"}},
      {"(3j,)", kF, {"',' or ')'"}},
      {"(0x10,)", kF, {"',' or ')'"}},
      {"(0b1,)", kF, {"',' or ')'"}},
      {"(1_000,)", kF, {"',' or ')'"}},
      {"(03,)", kF, {"leading zeros"}},
      {"(00,)", kF, {"leading zeros"}},
      {"(3LL,)", kF, {"',' or ')'"}},
      {"(3l,)", kF, {"',' or ')'"}},
      {"(L,)", kF, {"an integer"}},
      {"(inf,)", kF, {"an integer"}},
      {"(nan,)", kF, {"an integer"}},
      {"(2*3,)", kF, {"',' or ')'"}},
      {"(2**62,)", kF, {"',' or ')'"}},
      {"(3 if 1 else 4,)", kF, {"',' or ')'"}},
      {"(*[3],)", kF, {"an integer"}},
      {"(len('x'),)", kF, {"an integer"}},
      {"(\xEF\xBC\x93,)", kF, {"an integer", "\\xef"}},
      {"(3,\\\n4)", kF, {"an integer"}},
      {"(9223372036854775808,)", kF, {"2**63 - 1"}},
      {"(18446744073709551616,)", kF, {"2**63 - 1"}},
      {"(18446744073709551617,)", kF, {"2**63 - 1"}},
      {"(99999999999999999999999999999999999999999999,)", kF, {"2**63 - 1"}},
      {"(0, 9223372036854775807)", kF, {"'shape'", "overflows"}},
      {"(9223372036854775807, 0)", kF, {"overflows"}},
      {"(0, 3037000500, 3037000500)", kF, {"overflows"}},
      {"(9223372036854775807,)", kF, {"overflows"}},
      {"(2305843009213693952,)", kF, {"overflows"}},
      {"(4294967296, 4294967296)", kF, {"overflows"}},
      {"(4294967296, 536870912)", kF, {"overflows"}},
      {"(4194305, 4194305, 211106198978564)", kF, {"overflows"}},
      {"(65536, 65536, 65536, 65536)", kF, {"overflows"}},
      {"(3037000500, 3037000500)", kF, {"overflows"}},
  };
  for (const BadLiteral& each : kRows) {
    const std::string literal =
        std::string("{'descr': '<f4', 'fortran_order': False, 'shape': ") + each.literal + ", }";
    std::vector<std::string> says = each.says;
    if (says[0] != "',' or '}'") says.emplace_back("'shape'");
    expect_refused(each.wrong, says, each.literal, [&] { parse(literal); });
  }
}

TEST(NpyHeader, RefusesTooManyDimensions) {
  std::string shape = "(";
  for (int i = 0; i <= kMaxRank; ++i) shape += "1, ";
  expect_refused(kF, {"'shape'", "at most 64"}, shape,
                 [&] { parse("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ")}"); });
}

TEST(NpyHeader, TheLongSuffixEndedWithVersion2) {
  const std::string literal = "{'descr': '<f4', 'fortran_order': False, 'shape': (3L,), }";
  EXPECT_EQ(parse(literal, 2).layout.shape, (Dims{3}));
  expect_refused(kF, {"',' or ')'"}, literal, [&] { parse(literal, 3); });
}

TEST(NpyHeader, RefusesBadPreambles) {
  const std::string good = header_of("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }");
  const auto changed = [&](std::size_t at, char byte) {
    std::string text = good;
    text[at] = byte;
    return text;
  };
  const auto parse_bytes = [](const std::string& text, std::int64_t size) {
    return parse_npy_header(bytes_of(text), size, "f.npy");
  };
  for (std::size_t i = 0; i < 6; ++i) {
    expect_refused(kF, {"'magic'", "\\x93NUMPY"}, "magic", [&] { parse_bytes(changed(i, 'x'), kHuge); });
  }
  expect_refused(kF, {"'magic'", "'PK\\x03\\x04'"}, "zip", [&] { parse_bytes(std::string("PK\3\4"), 4); });
  for (const char major : {'\0', '\4', '\x7F', '\xFF'}) {
    expect_refused(kF, {"'version'", "1.0, 2.0 or 3.0"}, "major", [&] { parse_bytes(changed(6, major), kHuge); });
  }
  expect_refused(kF, {"'version'", "1.7"}, "minor", [&] { parse_bytes(changed(7, 7), kHuge); });
  const std::string endless = std::string("\x93NUMPY\2\0\xFF\xFF\xFF\xFF", 12) + "{}";
  expect_refused(kF, {"'header length'", "at most 65536", "4294967295"}, "length",
                 [&] { parse_bytes(endless, kHuge); });
  const std::string long_header = std::string("\x93NUMPY\1\0\xFF\xFF", 10) + "{}";
  expect_refused(Wrong::kTruncated, {"65545", "12"}, "length", [&] { parse_bytes(long_header, 12); });
}

TEST(NpyHeader, TheCapIsAParameter) {
  const std::string text = header_of("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }");
  const auto length = static_cast<std::int64_t>(text.size()) - 10;
  EXPECT_NO_THROW(parse_npy_header(bytes_of(text), kHuge, "f.npy", length));
  expect_refused(kF, {"'header length'"}, "cap", [&] { parse_npy_header(bytes_of(text), kHuge, "f.npy", length - 1); });
}

TEST(NpyHeader, ComparesTheShapeWithTheFileBeforeAnythingElse) {
  const std::string literal = "{'descr': '<f8', 'fortran_order': False, 'shape': (65536, 65536), }";
  expect_refused(Wrong::kTruncated, {"(65536, 65536)", "34359738368 bytes", "the file has 51"}, literal,
                 [&] { parse(literal, 1, 10 + static_cast<std::int64_t>(literal.size()) + 51); });
  const std::string small = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }";
  const std::int64_t header = 10 + static_cast<std::int64_t>(small.size());
  EXPECT_NO_THROW(parse(small, 1, header + 24));
  EXPECT_NO_THROW(parse(small, 1, header + 25));
  expect_refused(Wrong::kTruncated, {"needs 24 bytes", "has 23"}, small, [&] { parse(small, 1, header + 23); });
  expect_refused(Wrong::kTruncated, {"has 0"}, small, [&] { parse(small, 1, header); });
}

/// Whatever a changed or cut file does, it is a format it really holds or one of the three errors.
bool parses_cleanly(const std::string& file) {
  try {
    const auto size = static_cast<std::int64_t>(file.size());
    const FileFormat format = parse_npy_header(bytes_of(file), size, "f.npy");
    const std::int64_t end = format.layout.offset + format.layout.size() * size_of(format.dtype);
    EXPECT_LE(end, size);
    const ByteRange range = byte_range(format.layout, size_of(format.dtype));
    EXPECT_GE(range.begin, 0);
    EXPECT_LE(range.end, size);
    return true;
  } catch (const FormatError&) {
  } catch (const TruncatedFileError&) {
  } catch (const DTypeError&) {
  }
  return false;
}

TEST(NpyHeader, EveryPrefixIsTruncated) {
  const std::string file = make_npy_header(DType::k_float64, {16, 31}, 64) + std::string(16 * 31 * 8, 'x');
  ASSERT_GE(file.size(), 4096u);
  ASSERT_TRUE(parses_cleanly(file));
  for (std::size_t size = 0; size < file.size(); ++size) {
    const std::string prefix = file.substr(0, size);
    try {
      parse_npy_header(bytes_of(prefix), static_cast<std::int64_t>(size), "f.npy");
      FAIL() << "accepted the first " << size << " bytes";
    } catch (const TruncatedFileError&) {
    }
  }
}

TEST(NpyHeader, EveryFlippedBitIsHandled) {
  for (const char* literal : {"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }",
                              "{'descr': '>c16', 'fortran_order': True, 'shape': (), }"}) {
    for (const int major : {1, 2, 3}) {
      const std::string file = header_of(literal, major) + std::string(96, 'x');
      ASSERT_TRUE(parses_cleanly(file));
      for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
        std::string changed = file;
        changed[bit / 8] = static_cast<char>(static_cast<unsigned char>(changed[bit / 8]) ^ (1u << bit % 8));
        parses_cleanly(changed);
      }
    }
  }
}

TEST(NpyHeader, RandomDamageIsHandled) {
  std::mt19937_64 random(1);
  const std::string file = make_npy_header(DType::k_int16, {5, 7}) + std::string(70, 'x');
  static constexpr char kAlphabet[] = "{}()[]'\",: \n0123456789-+LTrueFalse<>|=fiubcOVdescrshape\\\x93";
  for (int i = 0; i < 100'000; ++i) {
    std::string changed = file;
    const std::size_t edits = 1 + random() % 4;
    for (std::size_t e = 0; e < edits; ++e) {
      const std::size_t at = random() % changed.size();
      switch (random() % 3) {
        case 0:
          changed[at] = kAlphabet[random() % (sizeof kAlphabet - 1)];
          break;
        case 1:
          changed.erase(at, 1 + random() % 4);
          break;
        default:
          changed.insert(at, 1, kAlphabet[random() % (sizeof kAlphabet - 1)]);
      }
    }
    parses_cleanly(changed);
  }
}

TEST(NpyHeader, WritesWhatNumPyWrites) {
  const std::string expected =
      std::string("\x93NUMPY\1\0\x76\0", 10) + "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }";
  const std::string header = make_npy_header(DType::k_float32, {3, 4});
  EXPECT_EQ(header, expected + std::string(127 - expected.size(), ' ') + "\n");
  EXPECT_EQ(make_npy_header(DType::k_bool, {7}).substr(10, 17), "{'descr': '|b1', ");
  EXPECT_EQ(make_npy_header(DType::k_complex128, {}).substr(10, 18), "{'descr': '<c16', ");
  EXPECT_NE(make_npy_header(DType::k_int8, {7}).find("'shape': (7,), }"), std::string::npos);
  EXPECT_NE(make_npy_header(DType::k_int8, {}).find("'shape': (), }"), std::string::npos);
  EXPECT_EQ(make_npy_header(DType::k_float16, {1}, 4096).size(), 4096u);
}

TEST(NpyHeader, TakesVersion2ForWhatVersion1CannotHold) {
  const Dims shape{3};
  EXPECT_EQ(make_npy_header(DType::k_float32, shape, 32768)[6], 1);
  const std::string header = make_npy_header(DType::k_float32, shape, 65536);
  EXPECT_EQ(header.size(), 65536u);
  EXPECT_EQ(header[6], 1) << "65,526 bytes still fit the two of version 1";
  const std::string wide = make_npy_header(DType::k_float32, shape, 131072);
  EXPECT_EQ(wide[6], 2);
  EXPECT_EQ(wide.size(), 131072u);
  EXPECT_EQ(parse_npy_header(bytes_of(wide), kHuge, "f.npy", 1 << 20).layout.offset, 131072);
}

TEST(NpyHeader, AsksForThePrefixItNeeds) {
  const std::string one = header_of("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }");
  const auto length = static_cast<std::int64_t>(one.size());
  EXPECT_EQ(npy_prefix_size(bytes_of(one), kHuge), length);
  EXPECT_EQ(npy_prefix_size(bytes_of(one).first(12), kHuge), length);
  EXPECT_EQ(npy_prefix_size(bytes_of(one).first(5), kHuge), 12);
  EXPECT_EQ(npy_prefix_size({}, 3), 3);
  EXPECT_EQ(npy_prefix_size(bytes_of(one), 20), 20);
  EXPECT_EQ(npy_prefix_size(bytes_of(std::string("\x93NUMPY\2\0\xFF\xFF\xFF\xFF", 12)), kHuge), kMaxNpyPrefix);
}

TEST(NpyHeader, QuotesUntrustedTextShortAndPrintable) {
  EXPECT_EQ(quoted_text("abc"), "'abc'");
  EXPECT_EQ(quoted_text(std::string_view("\0\x1B[31m\xFF", 7)), "'\\x00\\x1b[31m\\xff'");
  EXPECT_EQ(quoted_text(std::string(100, 'x')), "'" + std::string(40, 'x') + "'...");
}

RC_GTEST_PROP(NpyHeaderProperty, ReadsBackWhatItWrites, ()) {
  const auto dtype = static_cast<DType>(*rc::gen::inRange(0, kDTypeCount));
  const auto rank = *rc::gen::inRange<std::size_t>(0, 17);
  const auto shape = *rc::gen::container<Dims>(rank, rc::gen::inRange<std::int64_t>(0, 9));
  const auto alignment = *rc::gen::element<std::int64_t>(16, 64, 512, 4096);
  const std::string header = make_npy_header(dtype, shape, alignment);
  RC_ASSERT(header.size() % static_cast<std::size_t>(alignment) == 0);
  const FileFormat format = parse_npy_header(bytes_of(header), kHuge, "f.npy");
  Layout expected = contiguous(shape, size_of(dtype));
  expected.offset = static_cast<std::int64_t>(header.size());
  RC_ASSERT(format.dtype == dtype);
  RC_ASSERT(format.layout == expected);
  RC_ASSERT(!format.swapped);
}

}  // namespace
}  // namespace penstock::store
