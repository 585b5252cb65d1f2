"""``[states]``: masks and priority, checked against each other and against the labels of a dataset."""

import pytest

from ossicle.core.decisions.state_settings import StatesSettings
from ossicle.core.errors import UsageError


def test_the_priority_begins_with_labels_that_hide_others() -> None:
    given = StatesSettings(masks={"pump": ("ac",), "ac": ("fridge",)})
    assert given.decision(["ac", "fridge", "pump"]).priority == ("pump", "ac", "fridge")
    assert StatesSettings(priority=("b", "a")).decision(["a", "b"]).priority == ("b", "a")
    assert not given.decision(["ac", "fridge", "pump"]).fitted


@pytest.mark.parametrize("settings", [StatesSettings(masks={"fridg": ("ac",)}), StatesSettings(priority=("fridg",))])
def test_a_stranger_is_named_with_its_neighbour(settings: StatesSettings) -> None:
    with pytest.raises(UsageError, match=r"\[states\] (masks|priority): 'fridg' is not a label.*did you mean 'fridge'"):
        settings.decision(["ac", "fridge"])


def test_impossible_masks_and_priorities_are_refused() -> None:
    with pytest.raises(ValueError, match="hidden by a label that it hides"):
        StatesSettings(masks={"a": ("b",), "b": ("a",)})
    with pytest.raises(ValueError, match="lists a label twice"):
        StatesSettings(priority=("a", "a"))
