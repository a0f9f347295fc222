#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs a wheel into an empty virtual environment outside the source tree and computes with it. The libraries it
# bundles must be the ones loaded: a copy from the system means that the wheel leans on what a user may not have.
set -euo pipefail
wheel=$(realpath "${1:?usage: test_wheel.sh WHEEL}")
python=$(realpath "$(dirname "$0")/../.venv/bin/python")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$python" -m venv fresh
fresh/bin/python -m pip install --quiet --disable-pip-version-check "$wheel"
fresh/bin/python -I - <<'PY'
import re
from importlib.metadata import files, requires
from pathlib import Path

import numpy as np
import penstock as ps

n = 3_000_000
x = np.arange(n, dtype=np.float64)
np.save("x.npy", x)
result = ps.sqrt(ps.open("x.npy") * 2.0 + 1.0)
ps.save(result, "y.npy")
np.testing.assert_array_equal(np.load("y.npy"), np.sqrt(x * 2.0 + 1.0))
np.testing.assert_allclose(float(ps.sum(ps.sin(ps.asarray(x)))), np.sin(x).sum(), rtol=1e-9)
# Transforms are SciPy's and inverses NumPy's, in threads that threadpoolctl counts: they lie beside the wheel.
np.testing.assert_allclose(np.asarray(ps.fft.rfft(ps.asarray(x[:1000]))), np.fft.rfft(x[:1000]))
matrices = np.random.default_rng(1).random((200, 40, 40))
np.testing.assert_array_equal(np.asarray(ps.linalg.inv(ps.asarray(matrices))), np.linalg.inv(matrices))

mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if ".so" in line}
ours = re.compile(r"/(lib)?(penstock|sleef|hwy)[^/]*\.so")
system = sorted(path for path in mapped if ours.search(path) and "/site-packages/" not in path)
assert not system, f"loaded from the system instead of the wheel: {system}"

names = [str(each) for each in files("penstock") or []]
bundled = [name for name in names if "penstock.libs/" in name]
licences = [name for name in names if "licenses/bundled/" in name]
assert bundled, "the wheel bundles no library"
assert licences, "the wheel carries no licence of what it bundles"
assert any(name.endswith("licenses/LICENSE") for name in names), "the wheel lacks its own licence"
missing = {"py.typed", "__init__.pyi", "_core.pyi", "errors.pyi"} - {Path(name).name for name in names}
assert not missing, f"the wheel lacks {sorted(missing)}"
needed = [each for each in requires("penstock") or [] if "extra ==" not in each]
dependencies = [re.match(r"[\w-]+", each)[0] for each in needed]
assert dependencies == ["numpy", "scipy", "threadpoolctl"], f"expected these three alone, got {needed}"
print(f"wheel: {len(bundled)} libraries bundled, {len(licences)} licences, result right")
PY
fresh/bin/penstock --version
fresh/bin/penstock info x.npy
