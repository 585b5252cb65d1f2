"""Shared by all tests: how hypothesis draws, and where real recordings lie."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# CI draws the same examples each time, so that a red run can be looked at; `HYPOTHESIS_PROFILE=search` looks for more.
settings.register_profile(
    "house", deadline=None, max_examples=50, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

# Scripts with environments of their own; `--doctest-modules` would import them.
collect_ignore_glob = ["golden/*.py", "fuzz/search.py", "doubles/modal_container.py"]

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Give signals back the handlers they had: the command line and torch's loaders set their own in this process.

    A handler of torch that stays hears of every later child, and a process with many libraries has crashed in it.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real recordings: ``OSSICLE_TEST_DATA``, else ``../shared/data``; skips where neither exists."""
    named = os.environ.get("OSSICLE_TEST_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real recordings: {folder} is not a folder (set OSSICLE_TEST_DATA)")
    return folder
