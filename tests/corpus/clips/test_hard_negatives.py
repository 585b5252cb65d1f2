"""Hard negatives: what counts as one, how it is kept, and the clips it becomes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.clips.hard_negatives import (
    FalseAlarm,
    false_alarms,
    mined_clips,
    mined_files,
    read_mined,
    write_mined,
)
from ossicle.corpus.splits.folds import FoldEntry

TAPES = tuple(
    Recording(name, "r", f"{name}.wav", 1000, 1, 20_000, f"digest of {name}", reviewed=True) for name in ("a", "b")
)
FOLDS = {"a": FoldEntry("site A", 0), "b": FoldEntry("site B", 1)}
times = st.tuples(st.floats(0, 15), st.floats(0.01, 4)).map(lambda pair: (pair[0], pair[0] + pair[1]))
tapes = st.sampled_from(("a", "b"))
alarms = st.builds(
    lambda tape, span, score: FalseAlarm(tape, f"digest of {tape}", *span, "call", score), tapes, times, st.floats(0, 1)
)
notes = st.builds(lambda tape, span, label: Annotation(tape, *span, label), tapes, times, st.sampled_from(("x", "y")))


@given(st.lists(alarms, max_size=12), st.lists(notes, max_size=6), st.floats(0, 0.5), st.integers(1, 12))
def test_what_is_mined_touches_no_annotation_and_is_the_surest(
    alarms: list[FalseAlarm], annotated: list[Annotation], margin_s: float, most: int
) -> None:
    mined = false_alarms(alarms, annotated, margin_s, most)

    def touches(alarm: FalseAlarm) -> bool:
        return any(
            note.recording_id == alarm.recording_id
            and min(alarm.end_s, note.end_s + margin_s) > max(alarm.start_s, note.start_s - margin_s)
            for note in annotated
        )

    free = [false_alarm for false_alarm in alarms if not touches(false_alarm)]
    assert len(mined) == min(most, len(free))
    assert all(false_alarm in free for false_alarm in mined)
    left = sorted((false_alarm.score for false_alarm in free), reverse=True)[: len(mined)]
    assert sorted((false_alarm.score for false_alarm in mined), reverse=True) == left
    # In the next round each is a clip of its recording's fold, once.
    clips = mined_clips([*mined, *mined], TAPES, annotated, FOLDS, margin_s, 3.0)
    assert {(c.recording_id, c.start_s, c.end_s) for c in clips.clips} == {
        (false_alarm.recording_id, false_alarm.start_s, false_alarm.end_s) for false_alarm in mined
    }
    assert all((c.fold, c.group, c.role, c.weight) == (*_entry(c.recording_id), "noise", 3.0) for c in clips.clips)
    assert not clips.unused


def _entry(recording_id: str) -> tuple[int, str]:
    return FOLDS[recording_id].fold, FOLDS[recording_id].group


def test_what_cannot_be_used_any_more_is_counted_with_its_reason() -> None:
    alarms = [
        FalseAlarm("gone", "digest of gone", 1, 2, "call", 0.5),
        FalseAlarm("a", "other bytes", 1, 2, "call", 0.5),
        FalseAlarm("a", "digest of a", 19.5, 20.5, "call", 0.5),
        FalseAlarm("b", "digest of b", 5, 6, "call", 0.5),
        FalseAlarm("b", "digest of b", 8, 9, "call", 0.5),
    ]
    unreviewed = replace(TAPES[0], id="c", reviewed=False)
    alarms.append(FalseAlarm("c", unreviewed.digest, 1, 2, "call", 0.5))
    clips = mined_clips(alarms, (*TAPES, unreviewed), [Annotation("b", 6.05, 7, "other")], FOLDS, 0.1, 1.0)
    assert [(clip.recording_id, clip.start_s) for clip in clips.clips] == [("b", 8)]
    assert clips.unused == {
        "its recording is not completely annotated, or missing": 2,
        "the sound of its recording changed": 1,
        "it is beyond the end of its recording": 1,
        "it touches an annotation": 1,
    }


def test_a_round_is_kept_once_and_read_back(tmp_path: Path) -> None:
    alarms = (FalseAlarm("a", "digest of a", 1.25, 1.5, "call", 0.75),)
    first = write_mined(tmp_path / "negatives", alarms, {"scores": "x"})
    assert first is not None
    assert read_mined(first) == alarms
    assert write_mined(tmp_path / "negatives", alarms, {"scores": "y"}) is None
    more = write_mined(tmp_path / "negatives", (*alarms, replace(alarms[0], start_s=1.3)), {})
    assert mined_files(tmp_path / "negatives") == [first, more]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(format=2),
        lambda content: content.pop("false_alarms"),
        lambda content: content["false_alarms"][0].update(start_s="x"),
        lambda content: content["false_alarms"][0].update(end_s=0.5),
        lambda content: content["false_alarms"][0].update(start_s=float("nan")),
        lambda content: content.update(false_alarms=3),
    ],
)
def test_a_damaged_round_is_refused_with_its_name(tmp_path: Path, change: object) -> None:
    file = write_mined(tmp_path, (FalseAlarm("a", "d", 1.0, 2.0, "call", 0.5),), {})
    assert file is not None
    content = json.loads(file.read_text())
    change(content)  # type: ignore[operator]
    file.write_text(json.dumps(content))
    with pytest.raises(FormatError, match="is not a round of mining") as caught:
        read_mined(file)
    assert str(file) in str(caught.value)
