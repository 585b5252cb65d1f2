#!/usr/bin/env bash
# Prove that the base install (no extras) has no torch and runs what must run without it.
#
# Makes an environment of its own, build/runtime, and installs the package into it as a user would: built, not editable,
# so that a module or data file missing from the wheel shows here too.
#   PYTHON    interpreter that makes the environment (3.11 or later)
#   PIP_ARGS  more options for pip
set -euo pipefail
cd "$(dirname "$0")/.."

venv="build/runtime"
stamp="$venv/.installed"
if [ ! -e "$stamp" ] || [ pyproject.toml -nt "$stamp" ] || [ constraints.txt -nt "$stamp" ]; then
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv"
fi
# build/lib keeps modules of earlier builds, deleted ones too: they must not reach the wheel.
rm -rf build/lib build/bdist.*
# pip always rebuilds and replaces a package named by its folder, whatever version is there.
# shellcheck disable=SC2086  # PIP_ARGS is a list of words
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet ${PIP_ARGS:-} -c constraints.txt .
touch "$stamp"
rm -rf build/lib build/bdist.*

# Away from the checkout and isolated (-I), so that what is imported is what was installed.
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$PWD"
cd "$work"
"$root/$venv/bin/python" -I - "$root/tests/data/bundles/0.1.0/bundle" <<'CHECK'
import importlib
import importlib.util
import sys

TRAINING_ONLY = ("torch", "torchvision", "lightning", "onnx", "onnxscript", "matplotlib", "jinja2", "safetensors")
RUNTIME = (
    "ossicle",
    "ossicle.inference.batch",
    "ossicle.bundle.format",
    "ossicle.metrics.events",
    "ossicle.corpus.indexing.corpus_index",
    "ossicle.app.cli.main",
)

installed = [name for name in TRAINING_ONLY if importlib.util.find_spec(name)]
if installed:
    sys.exit(f"the base install brings {', '.join(installed)}: move the dependency to an extra of pyproject.toml")
for name in RUNTIME:
    importlib.import_module(name)
    print(f"imported {name}")

ossicle = importlib.import_module("ossicle")
for name in ossicle.__all__:
    getattr(ossicle, name)
found = ossicle.load_bundle(sys.argv[1]).predict(([0.1, -0.1] * 8000, 8000))
found.to_csv("events.csv")
print(f"ossicle.load_bundle(...).predict(...): {len(found[0].events)} events")
CHECK
"$root/$venv/bin/ossicle" --help >/dev/null
# Decoding, indexing and judging work; training is skipped.
"$root/$venv/bin/ossicle" selftest | tee /dev/stderr | grep -c "skipped" | grep -qx 2
# Without the extra, the command names it.
{ "$root/$venv/bin/ossicle" live --list-devices 2>&1 || true; } | grep -q "ossicle\[live\]"
echo "ossicle --help works; no torch in $venv"
