"""Inputs on which a reader once failed are read, or refused with an error that names the file."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .targets import TARGETS

SEEDS = Path(__file__).parent / "seeds"
KEPT = sorted(path.relative_to(SEEDS) for path in SEEDS.glob("*/*"))


@pytest.mark.parametrize("seed", KEPT, ids=str)
@pytest.mark.filterwarnings("default")
def test_what_once_failed_is_read_or_refused(seed: Path, tmp_path: Path) -> None:
    TARGETS[seed.parts[0]]((SEEDS / seed).read_bytes(), tmp_path)


def test_every_folder_of_seeds_has_a_target() -> None:
    assert {seed.parts[0] for seed in KEPT} <= set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_short_bytes_are_read_or_refused(name: str, tmp_path: Path) -> None:
    @settings(max_examples=25, deadline=None)
    @given(content=st.binary(max_size=60))
    def check(content: bytes) -> None:
        TARGETS[name](content, tmp_path)

    check()
