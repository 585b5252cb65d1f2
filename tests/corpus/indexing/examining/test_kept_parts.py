"""Recordings are examined in parts that an interrupted index finds again."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ossicle.audio.decoding.levels import Levels
from ossicle.core.records import Recording
from ossicle.corpus.indexing.examining.kept_parts import Examination, KeptParts, Outcome, examine_in_parts

KEYS = [f"r{number:03d}" for number in range(450)]


def outcome(number: int) -> Outcome:
    if number % 100 == 7:
        return "is no audio"
    recording = Recording(KEYS[number], "hits", f"{number}.wav", 8000, 1, 100 + number, "d", fields={"kit": "k"})
    cancel = -30.1 if number % 2 else None
    levels = None if number % 3 == 0 else Levels(-20.25, -0.1, 1e-06, 0.0, cancel)
    return Examination(recording, levels, {"temperature": "12"} if number % 5 == 0 else {})


def counting(calls: list[int], fails_at: int = -1) -> Callable[[int], Outcome]:
    lock = threading.Lock()

    def examine(number: int) -> Outcome:
        if number == fails_at:
            raise KeyboardInterrupt
        with lock:
            calls.append(number)
        return outcome(number)

    return examine


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_an_interrupted_run_repeats_at_most_a_part_of_each_worker(tmp_path: Path, workers: int) -> None:
    kept_parts, first, second = KeptParts(tmp_path), list[int](), list[int]()
    with pytest.raises(KeyboardInterrupt):
        list(examine_in_parts(KEYS, counting(first, fails_at=301), workers, kept_parts))
    outcomes = list(examine_in_parts(KEYS, counting(second), workers, kept_parts))
    assert outcomes == [outcome(number) for number in range(len(KEYS))]
    # 450 recordings are examined in parts of two: one part of each worker is in work at most.
    assert len(set(first) & set(second)) <= 2 * workers
    assert set(first) | set(second) == set(range(len(KEYS)))
    third: list[int] = []
    assert list(examine_in_parts(KEYS, counting(third), workers, kept_parts)) == outcomes
    assert third == []


def test_without_a_folder_nothing_is_kept_and_progress_counts_recordings() -> None:
    shown: list[tuple[int, int]] = []
    outcomes = list(examine_in_parts(KEYS, outcome, 2, None, lambda done, total: shown.append((done, total))))
    assert outcomes == [outcome(number) for number in range(len(KEYS))]
    assert shown == [(done, len(KEYS)) for done in range(1, len(KEYS) + 1)]
    assert list(examine_in_parts([], outcome, 2, None)) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.update(keys=["other"]),
        lambda content: content["outcomes"][0].pop("recording"),
        lambda content: content["outcomes"][0]["recording"].update(rate=-5),
        lambda content: content["outcomes"][0].update(levels={"loud": 1}),
        lambda content: content.pop("outcomes"),
        None,
    ],
)
def test_a_part_that_is_damaged_or_of_other_recordings_is_examined_again(
    tmp_path: Path, damage: Callable[[dict[str, object]], object] | None
) -> None:
    keys, kept_parts = KEYS[:3], KeptParts(tmp_path)
    expected = list(examine_in_parts(keys, outcome, 1, kept_parts))
    file = tmp_path / "examined-0001.json"
    if damage is None:
        file.write_text('{"keys"')
    else:
        damage(content := json.loads(file.read_text()))
        file.write_text(json.dumps(content))
    calls: list[int] = []
    assert list(examine_in_parts(keys, counting(calls), 1, kept_parts)) == expected
    assert calls == [1]
