// SPDX-License-Identifier: Apache-2.0
// What help() says about the functions of the extension. Every docstring ends with the shapes and dtypes that a
// function takes and gives, the errors it raises, and where its definition is to be read: the section of the array API
// standard.
#pragma once

#include <string>
#include <string_view>

#include "penstock/op/ops.h"

namespace penstock::bind {

/// The docstring of a function or method of docs.def; throws InternalError for one that is not there.
std::string doc_of(std::string_view name);

/// The docstring of an elementwise function, made of what it computes and of its row's domain and result.
std::string elementwise_doc(Op op);

/// Whose operand the array is in an operator.
enum class Place { kFirst, kSecond, kInPlace };
/// The docstring of the method of arrays, as __radd__, that is this elementwise function of one or two operands.
std::string operator_doc(Op op, std::string_view method, Place place);

}  // namespace penstock::bind
