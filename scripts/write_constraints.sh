#!/usr/bin/env bash
# Write constraints.txt from the environment of the given interpreter: exact versions only, no addresses, no hashes.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${1:-.venv/bin/python}"
new="$(mktemp constraints.XXXXXX)"
trap 'rm -f "$new"' EXIT

cat >"$new" <<'HEADER'
# Exact versions that are known to work together; the ranges are in pyproject.toml.
# Written by `make constraints` from a tested environment. A line constrains a package only where something asks for it:
# the CUDA packages and triton are installed by torch on Linux and ignored elsewhere.
HEADER
# Lines that are not name==version (editable installs, addresses) and the installer itself are not constraints.
"$python" -m pip freeze --all --exclude-editable --exclude ossicle |
    grep -E '^[A-Za-z0-9._-]+==[^ ]+$' |
    grep -viE '^(pip|wheel)==' |
    LC_ALL=C sort -f >>"$new"

chmod 644 "$new"
mv "$new" constraints.txt
"$python" scripts/repeat_constraints.py
echo "constraints.txt: $(grep -c == constraints.txt) versions"
