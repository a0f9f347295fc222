// SPDX-License-Identifier: Apache-2.0
// Intermediate results for which the budget has no room: written to a scratch file by one wave, read like any other
// file by later ones. What a user asked to hold never goes there.
#pragma once

#include <string>

#include "penstock/run/plan.h"

namespace penstock::run {

/// Moves the largest intermediate still in memory to a scratch file of the plan; false when none is left that is worth
/// it. Creates nothing.
bool spill_largest(Plan& plan);

/// Where the plan's scratch files are to be.
std::string scratch_directory(const Plan& plan);

/// Creates the scratch files, with their space reserved.
void create_scratch(Plan& plan);

/// Ends the writing of the scratch files that `pass` reads; they can be read then.
void finish_scratch(Plan& plan, const Pass& pass);

}  // namespace penstock::run
