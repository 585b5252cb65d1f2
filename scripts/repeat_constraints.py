"""Repeat constraints.txt in pyproject.toml, under ``[tool.uv] constraint-dependencies``, for ``uv sync``.

pip reads the file, but uv reads its constraints of a project from pyproject.toml alone.
"""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"(?<=^constraint-dependencies = \[\n)(?:    .*\n)*(?=\]$)", re.MULTILINE)


def repeated(constraints: str) -> str:
    """Return the lines of the list: one for each version of a constraints file."""
    lines = [line for line in constraints.splitlines() if line and not line.startswith("#")]
    return "".join(f'    "{line}",\n' for line in lines)


def main() -> None:
    """Write pyproject.toml anew; end with 1 if it has no list to replace."""
    root = Path(__file__).resolve().parents[1]
    project = root / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    if not BLOCK.search(text):
        sys.exit(f"{project}: [tool.uv] has no constraint-dependencies to replace")
    block = repeated((root / "constraints.txt").read_text(encoding="utf-8"))
    project.write_text(BLOCK.sub(lambda _: block, text), encoding="utf-8")


if __name__ == "__main__":
    main()
