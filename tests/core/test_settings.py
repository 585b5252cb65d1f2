"""Settings: what exists works, what is wrong says which key and which bound."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ossicle.core.decisions.decision import Decision
from ossicle.core.digest import digest
from ossicle.core.settings import digestible, setting, settings


@settings
class Inner:
    """A nested table."""

    bands_hz: tuple[float, ...] = setting(default=(100.0, 200.0), help="band edges", unit="Hz", gt=0)


@settings
class Outer:
    """One of everything."""

    mode: str = setting(default="fast", help="how", choices=("fast", "exact"))
    share: float = setting(default=0.5, help="a share", ge=0, le=1)
    count: int = setting(help="no default", ge=1)
    loud: bool = setting(default=False, help="a switch")
    names: dict[str, str] = setting(default={}, help="a mapping")
    workers: int = setting(default=2, help="processes", digest=False, ge=1)
    inner: Inner = setting(default=Inner(), help="a table of its own")


@given(st.floats(allow_nan=False), st.integers(-3, 3), st.sampled_from(["fast", "exact", "other"]))
def test_an_instance_exists_exactly_when_it_is_within_bounds(share: float, count: int, mode: str) -> None:
    good = 0 <= share <= 1 and count >= 1 and mode in ("fast", "exact")
    if good:
        assert Outer(share=share, count=count, mode=mode).share == share
    else:
        with pytest.raises(ValueError, match=r"share|count|mode"):
            Outer(share=share, count=count, mode=mode)


def test_not_a_number_is_outside_every_bound() -> None:
    with pytest.raises(ValueError, match="share = nan"):
        Outer(count=1, share=float("nan"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"share": 1.5}, "share = 1.5 must be at most 1"),
        ({"mode": "slow"}, "mode = 'slow' is not one of: fast, exact"),
        ({"count": 0}, "count = 0 must be at least 1"),
        ({"count": 10**400}, f"count = 10+ must be at most {2**63 - 1}$"),
    ],
)
def test_the_message_names_key_value_and_bound(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Outer(**{"count": 1, **wrong})


def test_every_member_of_a_tuple_is_checked_and_the_unit_named() -> None:
    with pytest.raises(ValueError, match=r"bands_hz = -1.0 Hz must be more than 0 Hz"):
        Inner(bands_hz=(100.0, -1.0))


def test_settings_are_frozen_keyword_only_and_share_no_defaults() -> None:
    outer, two = Outer(count=1), Outer(count=1)
    with pytest.raises(FrozenInstanceError):
        outer.count = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        Outer("fast")  # type: ignore[misc]
    assert outer.names is not two.names
    with pytest.raises(ValueError, match="count"):
        replace(outer, count=0)


@given(st.integers(1, 64))
def test_what_cannot_change_a_result_stays_out_of_the_fingerprint(workers: int) -> None:
    assert digest(digestible(Outer(count=1, workers=workers))) == digest(digestible(Outer(count=1)))
    assert digest(digestible(Outer(count=2))) != digest(digestible(Outer(count=1)))
    changed = Outer(count=1, inner=Inner(bands_hz=(100.0, 300.0)))
    assert digest(digestible(changed)) != digest(digestible(Outer(count=1)))


@pytest.mark.parametrize(
    "text",
    [
        '{"count": 1, "cuont": 2}',
        '{"count": "1"}',
        '{"count": 1.5}',
        '{"count": 1, "inner": {"bands": [1.0]}}',
        '{"count": 1, "share": 2.0}',
        '{"count": 1, "loud": 1}',
        "{}",
    ],
)
def test_text_is_read_strictly_at_every_depth(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Outer).validate_json(text)


def test_text_that_fits_becomes_the_settings() -> None:
    text = '{"count": 3, "inner": {"bands_hz": [50.0, 80.0]}, "names": {"a": "b"}}'
    expected = Outer(count=3, inner=Inner(bands_hz=(50.0, 80.0)), names={"a": "b"})
    assert TypeAdapter(Outer).validate_json(text) == expected


def test_a_decision_refuses_an_upside_down_hysteresis_and_an_even_median() -> None:
    assert Decision(on=0.7, off=0.3).off == 0.3
    with pytest.raises(ValueError, match=r"off = 0.5 must not be above on = 0.4"):
        Decision(on=0.4)
    with pytest.raises(ValueError, match="must be odd"):
        Decision(smoothing="median", smoothing_frames=4)
    assert Decision(smoothing="ema", smoothing_frames=4).smoothing_frames == 4
