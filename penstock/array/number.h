// SPDX-License-Identifier: Apache-2.0
// Numbers as elements of a dtype.
#pragma once

#include "penstock/array/array.h"

namespace penstock {

/// The number as one element; throws ArgumentError when an integer dtype can't hold it.
graph::Scalar scalar_of(const Number& number, DType dtype);

/// The dtype a number has by itself: bool, int64, float64 or complex128.
DType default_dtype(const Number& number);

}  // namespace penstock
