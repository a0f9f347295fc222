// SPDX-License-Identifier: Apache-2.0
// Which process of a line of forks this is.
#pragma once

namespace penstock {

/// 1 in the process that asked first, one more in each of its forked children. Threads of a parent do not exist in its
/// children: what was theirs under another number is nobody's.
int fork_generation();

}  // namespace penstock
