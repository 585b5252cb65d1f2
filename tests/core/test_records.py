"""Recordings, annotations and the tree of errors."""

from dataclasses import FrozenInstanceError

import pytest

from ossicle.core import errors
from ossicle.core.records import Annotation, Recording


def test_a_duration_is_samples_over_rate_and_zero_without_a_rate() -> None:
    known = Recording("id", "tapes", "a.wav", rate=48000, channels=2, n_samples=72000, digest="d")
    assert known.duration_s == 1.5
    unreadable = Recording("id", "tapes", "a.wav", 0, 0, 0, "", status="left_out", reason="not audio")
    assert unreadable.duration_s == 0.0


def test_records_are_values() -> None:
    annotation = Annotation("id", 1.0, 2.0, "call")
    assert annotation == Annotation("id", 1.0, 2.0, "call")
    with pytest.raises(FrozenInstanceError):
        annotation.label = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.OssicleError, 1),
        (errors.AudioError, 1),
        (errors.ArtefactError, 1),
        (errors.LockedError, 1),
        (errors.UsageError, 2),
        (errors.ProjectError, 2),
        (errors.SplitError, 2),
        (errors.FormatError, 2),
        (errors.BundleError, 2),
        (errors.GateRefused, 4),
    ],
)
def test_each_error_ends_the_command_with_its_code(error: type[errors.OssicleError], code: int) -> None:
    assert error.exit_code == code
    assert issubclass(error, errors.OssicleError)
