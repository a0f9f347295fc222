#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the wheel from build/release, bundles the shared libraries it needs with their licences, and tests the result.
# The finished wheel lies in dist/. The arguments are pip's: the settings of the build.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$PWD/.venv/bin/python
work=$PWD/build/wheel
rm -rf "$work" dist
mkdir -p "$work" dist

"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$work/plain" \
  "$@" .
# glibc 2.36 is Debian 12's.
PATH=$PWD/.venv/bin:$PATH "$python" -m auditwheel repair --plat "manylinux_2_36_$(uname -m)" \
  --wheel-dir "$work/repaired" "$work"/plain/*.whl

"$python" -m wheel unpack --dest "$work/tree" "$work"/repaired/*.whl
tree=$(echo "$work"/tree/penstock-*)
licences=$(echo "$tree"/penstock-*.dist-info)/licenses/bundled
mkdir -p "$licences"
for library in "$tree"/penstock.libs/*.so*; do
  # auditwheel puts a hash into the name: libsleef-1a2b3c4d.so.3.5.1 is libsleef.so.3.5.1.
  name=$(basename "$library" | sed -E 's/-[0-9a-f]{8}(\.so)/\1/')
  package=$(dpkg-query -S "*/$name" | head -n 1 | cut -d: -f1)
  cp "/usr/share/doc/$package/copyright" "$licences/$package.txt"
  echo "bundled: $name of $package"
done
"$python" -m wheel pack --dest-dir dist "$tree"
tools/test_wheel.sh dist/*.whl
