// SPDX-License-Identifier: Apache-2.0
// Finding elements in what is sorted, as operators.
#pragma once

#include <cstdint>
#include <memory>

#include "penstock/graph/operator.h"

namespace penstock::run {

/// What is asked about an element: how many of the sorted ones lie before it, how many before it or equal to it, or
/// whether it is one of them.
enum class Sought : std::uint8_t { kBefore, kUpTo, kWhether };

/// Inputs: n elements sorted as kernel/sort.h does, and `count` others of the same dtype, which can_sort(). Gives
/// (count) int64, or bool of kWhether; NaN is none of any. Sorted elements that memory has no room for are looked into
/// window by window, each time for as many of the others as memory holds.
std::shared_ptr<const graph::Operator> make_search(DType dtype, std::int64_t n, std::int64_t count, Sought sought);

}  // namespace penstock::run
