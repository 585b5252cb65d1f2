"""Every path in CONTRIBUTING's table of tasks exists, and so does every folder of its layout."""

import re
from pathlib import Path

PATH = re.compile(r"`((?:src|docs|tests|benchmarks)/[^`\s]*)`")
TASKS = 10


def section(repository: Path, title: str) -> str:
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_path_in_the_table_of_tasks_exists(repository: Path) -> None:
    rows = [line for line in section(repository, "Where to change what").splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= TASKS
    assert [row for row in rows if not PATH.search(row)] == []
    missing = [path for row in rows for path in PATH.findall(row) if not (repository / path).exists()]
    assert missing == []


def test_the_layout_lists_every_package(repository: Path) -> None:
    listed = set(PATH.findall(section(repository, "Layout")))
    packages = {f"src/ossicle/{path.parent.name}" for path in (repository / "src" / "ossicle").glob("*/__init__.py")}
    assert {path for path in listed if path.startswith("src/")} == packages
