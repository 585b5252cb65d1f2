"""Corpora in the old naming: one that all tests of a file read, and one that a test may change."""

from pathlib import Path

import pytest

from ...made_up.old_scheme import TAPES, OldCorpus, make_corpus


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> OldCorpus:
    """Read only."""
    return make_corpus(tmp_path_factory.mktemp("old") / "alpacas")


@pytest.fixture
def one(tmp_path: Path) -> OldCorpus:
    """A corpus of one tape, to be damaged."""
    return make_corpus(tmp_path / "alpacas", TAPES[1:2])
