import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.artefacts.fingerprint import Fingerprint

BASE = Fingerprint(
    "score", 1, {"hop_s": 0.01, "labels": ("a", "ä"), "set": {"x", "y", "z"}}, {"bundle": "ab"}, {"av": "14"}
)
# sha256 of {"inputs":{"bundle":"ab"},"settings":{"hop_s":0.01},"step":"score","version":1,"versions":{}}
GOLDEN = "7d77e10b387fe926f9369213e8a2e91eba1bdcc9dbc609449808f0603682eac5"

PRINTS = """
from ossicle.artefacts.fingerprint import Fingerprint
print(Fingerprint("score", 1, {"set": {"z", "y", "x"}, "labels": ["a", "ä"], "hop_s": 0.01}, {"bundle": "ab"},
      {"av": "14"}).digest)
"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_the_digest_is_the_same_in_every_process(seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", PRINTS], check=True, capture_output=True, env={"PYTHONHASHSEED": seed}
    )
    assert done.stdout.decode().strip() == BASE.digest


def test_the_digest_is_the_same_forever() -> None:
    assert Fingerprint("score", 1, {"hop_s": 0.01}, {"bundle": "ab"}).digest == GOLDEN


@pytest.mark.parametrize(
    "change",
    [
        {"step": "train"},
        {"version": 2},
        {"settings": {**BASE.settings, "hop_s": 0.010000000000000002}},
        {"settings": {}},
        {"inputs": {"bundle": "ac"}},
        {"inputs": {"other": "ab"}},
        {"versions": {}},
        {"versions": {"av": "15"}},
    ],
)
def test_every_part_counts(change: dict[str, Any]) -> None:
    assert replace(BASE, **change).digest != BASE.digest


@settings(deadline=None, max_examples=60)
@given(values=st.dictionaries(st.text(), JSON, max_size=5))
def test_order_of_keys_does_not_count(values: dict[str, Any]) -> None:
    fingerprint = Fingerprint("s", 1, values, {})
    assert fingerprint.digest == Fingerprint("s", 1, dict(reversed(values.items())), {}).digest


def test_numpy_values_are_plain() -> None:
    fingerprint = Fingerprint("s", 1, {"a": np.float64(0.5), "b": np.arange(2)}, {})
    assert fingerprint.digest == Fingerprint("s", 1, {"a": 0.5, "b": [0, 1]}, {}).digest


def test_later_changes_of_a_mapping_do_not_reach_it() -> None:
    values = {"a": [1]}
    fingerprint = Fingerprint("s", 1, values, {})
    before = fingerprint.digest
    values["a"].append(2)
    assert fingerprint.digest == before
    with pytest.raises(FrozenInstanceError):
        fingerprint.step = "t"  # type: ignore[misc]


@pytest.mark.parametrize("step", ["", "..", "a/b", "A", ".work", "a.b", "a\n"])
def test_a_step_names_a_folder(step: str) -> None:
    with pytest.raises(ValueError, match="step ="):
        Fingerprint(step, 1, {}, {})


def test_nan_settings_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"settings\.loss\.weight is nan"):
        Fingerprint("s", 1, {"loss": {"weight": float("nan")}}, {})
