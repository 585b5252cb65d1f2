import ast
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.audio.decoding.levels import Levels, measure
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.records import Annotation, Recording
from ossicle.core.text.counting import counted
from ossicle.corpus.health.report import health, label_health
from ossicle.corpus.health.sound_problems import without_front_end
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.notes import LeftOut, Note


def recording(name: str, **kwargs) -> Recording:
    values = {"rate": 16000, "channels": 1, "n_samples": 160000, "digest": name, "reviewed": True, **kwargs}
    return Recording(id=name, root="r", path=f"{name}.wav", **values)


def codes(index: CorpusIndex, **kwargs) -> list[tuple[str, str, str]]:
    report = health(index, **{"rate": 16000, **kwargs})
    assert all(problem.message and problem.remedy for problem in report.problems)
    return [(problem.severity, problem.code, problem.where) for problem in report.problems]


def test_totals_by_hand():
    index = CorpusIndex(
        recordings=(
            recording("a", fields={"site": "N"}),
            recording("b", fields={"site": "S"}, rate=8000),
            recording("c", fields={"site": "S"}, reviewed=False),
        ),
        annotations=(
            Annotation("a", 1.0, 1.5, "x", quality=1),
            Annotation("a", 1.51, 2.01, "x", quality=1),
            Annotation("a", 2.51, 2.61, "y"),
        ),
    )
    report = health(index, rate=8000, group="site")
    assert (report.recordings, report.annotations, report.groups) == (3, 3, 2)
    assert report.hours == pytest.approx(40 / 3600, abs=1e-6)
    assert report.by_group == {"N": 3, "S": 0}
    assert report.by_quality == {"1": 2, "unknown": 1}
    assert report.by_rate == {"8000": 1, "16000": 2}
    assert report.unreviewed == ("c.wav",)
    assert report.reviewed_empty == ("b.wav",)
    x, y = report.by_label
    assert (x.annotations, x.groups, x.total_s, x.min_s, x.median_s, x.max_s) == (2, 1, 1.0, 0.5, 0.5, 0.5)
    assert (x.gaps, x.median_gap_s, x.short_gap_share) == (1, 0.01, 1.0)
    assert (y.gaps, y.median_gap_s, y.short_gap_share) == (0, None, None)
    assert json.loads(json.dumps(report.to_json()))["by_label"][0]["label"] == "x"
    assert [(problem.code, problem.where) for problem in report.problems] == [
        ("short_gaps", "x"),
        ("unreviewed", "c.wav"),
    ]


def test_gaps_overlaps_and_repeats():
    spans = [(0.0, 1.0), (0.5, 0.6), (1.0, 2.0), (1.0, 2.0), (2.02, 3.0), (5.0, 5.0)]
    label_row = label_health(
        "x", AnnotationColumns.from_annotations([Annotation("a", *span, "x") for span in spans]), 1
    )
    # 0.5 lies inside; 1.0 touches; the repeat counts once; 2.02 is exactly 20 ms later, which is not under 20 ms.
    assert (label_row.overlaps, label_row.repeats, label_row.zero_length, label_row.gaps) == (1, 1, 1, 3)
    assert label_row.short_gap_share == pytest.approx(1 / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"annotations": ()}, [("error", "no_annotations", "")]),
        ({"left_out": (LeftOut("z.wav", "empty file"),)}, [("warning", "left_out", "z.wav")]),
        ({"recordings": (recording("a", status="silent"),)}, [("warning", "silent", "a.wav")]),
        ({"recordings": (recording("a", status="partial", reason="cut"),)}, [("warning", "partial", "a.wav")]),
        ({"recordings": (recording("a", rate=8000),)}, [("warning", "low_rate", "a.wav")]),
        ({"levels": {"a": Levels(-20, -1, 0.2, 0.0)}}, [("note", "offset", "a.wav")]),
        ({"levels": {"a": Levels(-20, 0, 0.0, 0.01)}}, [("warning", "overdriven", "a.wav")]),
        ({"annotations": (Annotation("a", 1, 1, "x"),)}, [("warning", "zero_length", "a.wav")]),
        ({"annotations": (Annotation("a", 1, 2, "x"),) * 3}, [("warning", "repeated_annotations", "a.wav")]),
        ({"annotations": (Annotation("a", 1, 2, "x", low_hz=9000.0),)}, [("warning", "above_band", "a.wav")]),
        ({"notes": (Note("beyond_end", "a.wav", "m"),)}, [("warning", "beyond_end", "a.wav")]),
        (
            {"recordings": (recording("a", digest="d"), recording("b", digest="d"))},
            [("error", "duplicate_leak", "a.wav")],
        ),
        (
            {
                "recordings": (
                    recording("a", digest="d", fields={"recording": "s"}),
                    recording("b", digest="d", fields={"recording": "s"}),
                )
            },
            [("warning", "duplicate", "a.wav")],
        ),
    ],
)
def test_every_finding(change, expected):
    values = {"recordings": (recording("a"),), "annotations": (Annotation("a", 1, 2, "x"),), **change}
    assert codes(CorpusIndex(**values)) == expected


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("its name does not match 'a_*', so no split can place it; add a template to corpus.name_template", "add a"),
        ("has the same name as 'b.wav' in another Unicode form; rename one", "rename one"),
        ("words.csv, line 3: no audio file has this path; copy it there, or remove the row", "copy it there"),
        ("contains no samples", "repair the file, copy it again"),
    ],
)
def test_a_left_out_file_is_to_be_repaired_only_if_the_file_is_at_fault(reason, remedy):
    problems = health(CorpusIndex((), (), left_out=(LeftOut("z.wav", reason),)), rate=16000).problems
    (problem,) = [problem for problem in problems if problem.code == "left_out"]
    assert problem.remedy.startswith(remedy)
    assert f"{problem.message}; {problem.remedy}".startswith(reason)


def test_where_an_encoder_hears_no_remedy_is_a_setting_of_the_front_end():
    index = CorpusIndex(
        (recording("a", rate=8000), recording("b", rate=96000)),
        (Annotation("a", 1, 2, "x", low_hz=9000.0),),
        levels={"a": Levels(-20, -1, 0.2, 0.0)},
    )
    problems = health(index, rate=16000, hop_s=5.0).problems
    remaining = without_front_end(problems)
    assert {"low_rate", "above_band", "offset"} <= {problem.code for problem in remaining}
    assert {problem.code for problem in problems} - {problem.code for problem in remaining} == {"frame_too_long"}
    assert not [
        problem
        for problem in remaining
        if "front" in problem.remedy or "fmin" in problem.remedy or "fmax" in problem.remedy
    ]


def test_levels_of_known_sounds(tmp_path: Path):
    rate = 8000
    sine = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    path = tmp_path / "x.wav"
    soundfile.write(path, np.stack([sine, np.zeros(rate)], axis=1), rate, subtype="FLOAT")
    _, report, levels = measure(path)
    assert report.n_samples == rate
    assert levels.rms_dbfs == pytest.approx(20 * np.log10(0.25), abs=0.01)
    assert levels.peak_dbfs == pytest.approx(20 * np.log10(0.5), abs=0.01)
    assert (levels.dc, levels.clipped_share) == (0.0, 0.0)
    soundfile.write(path, np.clip(sine * 4, -1, 1) + 0.0, rate)
    assert measure(path)[2].clipped_share == pytest.approx(np.mean(np.abs(sine * 4) >= 1), abs=0.01)
    soundfile.write(path, np.full(rate, 0.25), rate)
    assert measure(path)[2].dc == 0.25
    soundfile.write(path, np.zeros(rate), rate)
    assert measure(path)[2].rms_dbfs == -200.0


def gaps_of_objects(notes: list[Annotation]) -> tuple[list[float], int, int]:
    """Return gaps, overlaps and repeats of the annotations of one label, one after the other."""
    gaps: list[float] = []
    overlaps = repeats = 0
    for key in sorted({note.recording_id for note in notes}):
        spans = [(note.start_s, note.end_s) for note in notes if note.recording_id == key]
        repeats += len(spans) - len(set(spans))
        reach = -np.inf
        for start_s, end_s in sorted(set(spans)):
            if start_s < reach - 1e-6:
                overlaps += 1
            elif np.isfinite(reach):
                gaps.append(max(start_s - reach, 0.0))
            reach = max(reach, end_s)
    return gaps, overlaps, repeats


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.builds(
            lambda key, start, length, label, quality, low: Annotation(
                key, start / 100, (start + length) / 100, label, quality=quality, low_hz=low
            ),
            st.sampled_from("ba"),
            st.integers(0, 40),
            st.sampled_from([0, 1, 3, 20]),
            st.sampled_from("xy"),
            st.none() | st.integers(0, 3),
            st.none() | st.sampled_from([100.0, 9000.0]),
        ),
        max_size=14,
    )
)
def test_columns_give_the_figures_of_objects(notes: list[Annotation]) -> None:
    index = CorpusIndex((recording("a", fields={"site": "N"}), recording("b", fields={"site": "S"})), tuple(notes))
    report = health(index, rate=16000, group="site")
    assert [label_row.label for label_row in report.by_label] == sorted({note.label for note in notes})
    for label_row in report.by_label:
        own_notes = [note for note in notes if note.label == label_row.label]
        gaps, overlaps, repeats = gaps_of_objects(own_notes)
        assert (label_row.gaps, label_row.overlaps, label_row.repeats, label_row.annotations) == (
            len(gaps),
            overlaps,
            repeats,
            len(own_notes),
        )
        assert label_row.groups == len({note.recording_id for note in own_notes})
        assert label_row.median_gap_s == (round(float(np.median(gaps)), 6) if gaps else None)
        assert label_row.short_gap_share == (
            round(sum(gap < 0.02 - 1e-6 for gap in gaps) / len(gaps), 6) if gaps else None
        )
        assert label_row.zero_length == sum(note.end_s <= note.start_s for note in own_notes)
    assert report.by_group == {site: sum(note.recording_id == key for note in notes) for key, site in ("aN", "bS")}
    stated = ["unknown" if note.quality is None else str(note.quality) for note in notes]
    assert report.by_quality == {quality: stated.count(quality) for quality in sorted(set(stated))}
    messages = {(problem.code, problem.where): problem.message for problem in report.problems}
    for key in "ab":
        own_notes = [note for note in notes if note.recording_id == key]
        counts = {
            "zero_length": sum(note.end_s <= note.start_s for note in own_notes),
            "above_band": sum((note.low_hz or 0) >= 8000 for note in own_notes),
            "repeated_annotations": len(own_notes)
            - len({(note.start_s, note.end_s, note.label) for note in own_notes}),
        }
        for code, count in counts.items():
            assert (count > 0) == ((code, f"{key}.wav") in messages)
            assert not count or messages[code, f"{key}.wav"].startswith(f"{counted(count, 'annotation')} ")


def note_kinds(folder: Path) -> set[str]:
    """The kinds of notes that modules make with a literal."""
    calls = (node for path in folder.rglob("*.py") for node in ast.walk(ast.parse(path.read_text())))
    return {
        str(node.args[0].value)
        for node in calls
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Note"
        if node.args and isinstance(node.args[0], ast.Constant)
    }


def test_every_note_becomes_a_problem_with_a_remedy(repository: Path):
    # Those of hit tables are made from a table of counts; copies are found again, with their groups.
    kinds = (note_kinds(repository / "src/ossicle/corpus") | {"negative_examples", "without_components"}) - {
        "duplicate"
    }
    assert {"manifest_total", "repeated_events", "same_table"} <= kinds
    index = CorpusIndex((recording("a"),), (Annotation("a", 1, 2, "x"),), notes=tuple(Note(k, "w", k) for k in kinds))
    assert {code for _, code, where in codes(index) if where == "w"} == kinds


@pytest.mark.parametrize(
    ("count", "repeats", "nothing"),
    [
        (1, "1 annotation repeats", "1 recording at 8000 Hz contains"),
        (2, "2 annotations repeat", "2 recordings at 8000 Hz contain"),
    ],
)
def test_one_annotation_and_one_recording_are_in_the_singular(count: int, repeats: str, nothing: str) -> None:
    slow = tuple(recording(name, rate=8000) for name in "ab"[:count])
    report = health(CorpusIndex(recordings=slow, annotations=(Annotation("a", 1, 2, "x"),) * (count + 1)), rate=16000)
    messages = {problem.code: problem.message for problem in report.problems}
    assert messages["repeated_annotations"].startswith(f"{repeats} another")
    assert messages["low_rate"].startswith(f"{nothing} nothing")


def test_where_decoding_ends_is_said_once() -> None:
    end = "decoding ends at 10.000 s of 20.000 s"
    for reason, message in ((end, end), ("cut off", "decoding ends at 10.000 s: cut off")):
        index = CorpusIndex(recordings=(recording("a", status="partial", reason=reason),), annotations=())
        messages = {problem.code: problem.message for problem in health(index, rate=16000).problems}
        assert messages["partial"] == message
