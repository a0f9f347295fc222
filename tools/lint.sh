#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every static check, with `tidy` clang-tidy too, which takes minutes. All run even when one fails; the last line counts
# them.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin
passed=0 failed=0

check() {
  local name=$1 start=$SECONDS
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "lint: $name passed in $((SECONDS - start)) s"
  else
    failed=$((failed + 1))
    echo "lint: $name FAILED in $((SECONDS - start)) s"
  fi
}

cpp_files() { git ls-files --cached --others --exclude-standard -- "$@" | sort -u; }

formatted() { cpp_files '*.h' '*.cc' | xargs clang-format-14 --dry-run -Werror; }

# One CPU target: it is the same source for each, and clang-tidy reads what this build compiles.
warning_free() {
  cmake --preset dev >/dev/null && cmake --build --preset dev && cmake --build --preset dev \
    --target all_verify_interface_header_sets
}

tidy() {
  cpp_files 'penstock/*.cc' | grep -v '_bench\.cc$' |
    xargs -P "$(nproc)" -n 1 clang-tidy-14 -p build/dev --quiet --extra-arg=-Wno-unknown-warning-option \
      --extra-arg=-Wno-error 2>/dev/null
}

check floors python3 tools/floors.py
check text python3 tools/check_text.py
check clang-format formatted
check warnings warning_free
[[ ${1:-} != tidy ]] || check clang-tidy tidy
check ruff "$bin/ruff" check .
check ruff-format "$bin/ruff" format --check .
check mypy "$bin/mypy" tools python/penstock examples benchmarks
check codespell codespell
echo "$passed passed, $failed failed"
((failed == 0))
