#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages of the given groups (default: core) that are missing. Without the right to install it
# prints the one line that does, and fails. Says nothing when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

groups=" ${*:-core} "
if ! command -v dpkg-query >/dev/null; then
  echo "make system: this is not Debian (no dpkg-query). Install the equivalents of tools/system-packages.txt by" \
    "hand, then call make with SYSTEM=off." >&2
  exit 1
fi

installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' | awk '$2 == "installed" { print $1 }')
missing=()
while read -r group package _; do
  [[ $groups == *" $group "* ]] || continue
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done < <(grep -Ev '^(#|$)' tools/system-packages.txt)

((${#missing[@]})) || exit 0
if ((EUID == 0)); then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends "${missing[@]}"
else
  echo "Some Debian packages are missing. Install them with this line, then run make again:" >&2
  echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
