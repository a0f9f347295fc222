#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target of build/fuzz for some seconds each, from its seeds and dictionary. New inputs stay in
# build/fuzz/corpus; one that fails is left in build/fuzz and named.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: fuzz.sh SECONDS}
root=$PWD
passed=0 failed=0
mapfile -t targets < <(find build/fuzz/fuzz -maxdepth 1 -type f -executable | sort)
((${#targets[@]})) || { echo "fuzz: no target in build/fuzz/fuzz; configure with cmake --preset fuzz" >&2; exit 1; }

for target in "${targets[@]}"; do
  name=$(basename "$target")
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  arguments=(-max_total_time="$seconds" -timeout=5 -malloc_limit_mb=256 -rss_limit_mb=2048 -print_final_stats=1
    -artifact_prefix="build/fuzz/$name-")
  [[ ! -f fuzz/$name.dict ]] || arguments+=(-dict="fuzz/$name.dict")
  arguments+=("$corpus")
  [[ ! -d fuzz/corpus/$name ]] || arguments+=("fuzz/corpus/$name")
  echo "fuzz: $name for $seconds s"
  if "$root/$target" "${arguments[@]}"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed"
((failed == 0))
