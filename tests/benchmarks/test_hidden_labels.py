"""Labels are hidden by class and fold; a difference that is everywhere has an interval without zero."""

from pathlib import Path
from typing import Any


def clips() -> list[Any]:
    from esc10 import Esc10Clip

    return [
        Esc10Clip(Path(f"{label}/{fold}-{100 * fold + take // 2}-{take}.ogg"), label, fold, f"{100 * fold + take // 2}")
        for fold in (1, 2)
        for label in ("dog", "rain")
        for take in range(8)
    ]


def test_each_class_of_each_fold_keeps_as_many_labels() -> None:
    from bench_pseudo import hide

    kept = hide(clips(), 3, 0)
    assert len(kept) == 12
    for fold in (1, 2):
        for label in ("dog", "rain"):
            assert sum(path.parent.name == label and path.name.startswith(f"{fold}-") for path in kept) == 3
    assert hide(clips(), 3, 0) == kept != hide(clips(), 3, 1)


def test_a_gain_everywhere_is_a_gain_and_none_is_none() -> None:
    from bench_pseudo import difference, share

    named = {f"{clip.label}{clip.path.name}": clip for clip in clips()}
    right, wrong = {name: one.label for name, one in named.items()}, dict.fromkeys(named, "sea")
    assert share(right, named) == 100.0
    assert share(wrong, named) == 0.0
    assert difference([(wrong, right)], named) == (100.0, 100.0)
    assert difference([(right, right), (wrong, wrong)], named) == (0.0, 0.0)
