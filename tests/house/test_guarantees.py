"""docs/guarantees.md names tests that exist, for every invariant."""

import re
from pathlib import Path

import pytest

NAMED = re.compile(r"tests/[\w/]+(?:\.py)?(?:::\w+)?")


def page(repository: Path) -> str:
    return (repository / "docs" / "guarantees.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sections(repository: Path) -> dict[int, list[str]]:
    """The tests named below each numbered heading."""
    text = page(repository).partition("## Defects")[0]
    parts = re.split(r"^## (\d+)\. ", text, flags=re.MULTILINE)[1:]
    commands = {
        int(number): [line for line in body.splitlines() if line.startswith("    pytest ")]
        for number, body in zip(parts[::2], parts[1::2], strict=True)
    }
    return {number: [name for line in lines for name in NAMED.findall(line)] for number, lines in commands.items()}


def test_every_invariant_has_its_tests(sections: dict[int, list[str]]) -> None:
    assert list(sections) == list(range(1, 12))
    assert all(sections.values())


def test_every_defect_has_its_tests(repository: Path) -> None:
    tapes, *others = page(repository).split("## Defects of the scripts")[1:]
    parts = re.split(r"^(\d+)\. ", tapes, flags=re.MULTILINE)[1:]
    assert [int(number) for number in parts[::2]] == list(range(1, 11))
    assert all(NAMED.search(body) for body in parts[1:-2:2])
    for other in others:
        parts = re.split(r"^(\d+)\. ", other, flags=re.MULTILINE)[1:]
        assert [int(number) for number in parts[::2]] == list(range(1, len(parts) // 2 + 1))
        assert all(NAMED.search(body) for body in parts[1::2])


def test_every_named_test_exists(repository: Path) -> None:
    def exists(name: str) -> bool:
        path, _, function = name.partition("::")
        place = repository / path
        if not function:
            return place.exists()
        return place.is_file() and re.search(rf"^def {function}\(", place.read_text(encoding="utf-8"), re.M) is not None

    lines = [line for line in page(repository).splitlines() if line.strip().startswith(("pytest ", "| "))]
    names = [name for line in lines for name in NAMED.findall(line)]
    assert len(names) > 40
    assert [name for name in names if not exists(name)] == []
    assert not exists("tests/house/test_guarantees.py::test_of_nothing")
