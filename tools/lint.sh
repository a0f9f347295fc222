#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The static checks that need no build: `lint.sh`; clang-tidy, which takes minutes: `lint.sh tidy`. All run even when
# one fails; the last line counts them. Warnings in sources are the builds' (PENSTOCK_WERROR).
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

# One CPU target: it is the same source for each.
configured() { cmake --preset dev >/dev/null; }

headers() { configured && python3 tools/check_headers.py build/dev; }

# The largest files first, so that no processor waits long for the last one.
tidy() {
  configured || return
  cpp_files 'penstock/*.cc' | grep -v '_bench\.cc$' | xargs ls -S |
    xargs -P "$(nproc)" -n 1 clang-tidy-14 -p build/dev --quiet --extra-arg=-Wno-unknown-warning-option \
      --extra-arg=-Wno-error 2>/dev/null
}

if [[ ${1:-} == tidy ]]; then
  check clang-tidy tidy
else
  check floors python3 tools/floors.py
  check text python3 tools/check_text.py
  check clang-format formatted
  check headers headers
  check ruff "$bin/ruff" check .
  check ruff-format "$bin/ruff" format --check .
  check mypy "$bin/mypy" tools python/penstock examples benchmarks
  check codespell codespell
fi
echo "$passed passed, $failed failed"
((failed == 0))
