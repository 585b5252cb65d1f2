"""What a run will use and leave out, with counts and reasons."""

from collections.abc import Sequence

from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.health.preview import Heard, Notice, preview
from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.notes import LeftOut, Note

HEARD = Heard(FrontEndSettings(rate=16000), 0.01, "ossicle.toml")


def recording(key: str, *, reviewed: bool = True, rate: int = 16000) -> Recording:
    return Recording(key, "r", f"{key}.wav", rate, 1, 10 * rate, key, reviewed=reviewed)


def lines(index: CorpusIndex, listed: Sequence[str], reported: Sequence[str] = ()) -> list[Notice]:
    report = health(index, rate=16000, hop_s=0.01)
    return list(preview(index, report.problems, report.by_label, HEARD, listed, reported))


def said(notices: list[Notice], what: str) -> list[tuple[str, str]]:
    return [(notice.level, notice.message) for notice in notices if notice.what == what]


CALLS = tuple(Annotation(key, start, start + 0.5, "call") for key in "ab" for start in (1.0, 4.0))


def test_recordings_that_no_template_fits_are_counted_with_their_annotations() -> None:
    reason = "its name does not match 'site{site}_*'"
    notes = [Note("annotations_left_out", f"zf_{n}.wav", "lost with it", 10 + n) for n in range(3)]
    left = tuple(LeftOut(f"zf_{n}.wav", reason) for n in range(3))
    index = CorpusIndex((recording("a"), recording("b")), CALLS, left, tuple(notes))
    notices = lines(index, ["a.wav", "b.wav", "zf_0.wav", "zf_1.wav", "zf_2.wav"])
    assert said(notices, "used recordings") == [("lost", "5 audio files: 2 used, 3 left out")]
    assert said(notices, "used annotations") == [("lost", "37 found: 4 used, 33 left out")]
    assert said(notices, "left out") == [
        ("lost", f"3 files (first: zf_0.wav): {reason}"),
        ("lost", "33 annotations of 3 left-out recordings (first: zf_0.wav)"),
    ]


def test_reasons_that_differ_by_a_number_are_one_line() -> None:
    left = tuple(LeftOut(f"{n}.wav", f"train.csv, line {n}: no audio file has this path") for n in (3, 7))
    notices = lines(CorpusIndex((recording("a"),), CALLS[:2], left), ["a.wav"])
    assert said(notices, "left out") == [
        ("lost", "2 files (first: 3.wav): train.csv, line 3: no audio file has this path")
    ]
    # They are rows of a table, not audio files of the folder.
    assert said(notices, "used recordings") == [("ok", "1 audio files: 1 used, 0 left out")]
    assert said(lines(CorpusIndex((recording("a"),), CALLS[:2], left), ["a.wav"], ["3.wav", "7.wav"]), "left out") == []


def test_rows_without_a_recording_are_lost_and_unwanted_labels_are_not() -> None:
    notes = (
        Note("unmatched_rows", "t.txt", "5 rows are of a recording that is not there", 5),
        Note("label_not_kept", "noise", "7 annotations, not in labels", 7),
    )
    notices = lines(CorpusIndex((recording("a"),), CALLS[:2], (), notes), ["a.wav"])
    assert said(notices, "used annotations") == [
        ("lost", "14 found: 2 used, 5 left out, 7 not asked for (corpus.labels, corpus.include, corpus.exclude)")
    ]
    ((level, message),) = said(notices, "left out")
    assert level == "lost"
    assert message.startswith("5 annotations (t.txt): 5 rows are of a recording that is not there; add the recording")


def test_everything_used_is_ok_and_says_labels_negatives_band_and_frames() -> None:
    index = CorpusIndex((recording("a"), recording("b"), recording("c")), CALLS)
    notices = lines(index, ["a.wav", "b.wav", "c.wav"])
    assert {notice.level for notice in notices} == {"ok"}
    assert said(notices, "labels") == [("ok", "1: call (4 in 2 groups)")]
    assert said(notices, "negatives") == [
        ("ok", "0.467 of 0.5 min of checked sound hold no annotation; 1 recording without any")
    ]
    ((_, band),) = said(notices, "band")
    assert "at 16000 Hz (from ossicle.toml); recorded: 16000 Hz (3), up to 8000 Hz" in band
    assert said(notices, "frames") == [
        ("ok", "10 ms; the shortest label is call: half of its annotations last at most 500 ms")
    ]


def test_large_figures_are_written_in_full() -> None:
    days = tuple(Recording(key, "r", f"{key}.wav", 16000, 1, 16000 * 10**6, key, reviewed=True) for key in "abc")
    index = CorpusIndex(days, CALLS)
    report = health(index, rate=16000, hop_s=1.2)
    heard = Heard(FrontEndSettings(rate=16000), 1.2, "ossicle.toml")
    notices = list(preview(index, report.problems, report.by_label, heard, ["a.wav", "b.wav", "c.wav"]))
    ((_, negatives),) = said(notices, "negatives")
    assert negatives.startswith("50000 of 50000 min of checked sound")
    ((_, frames),) = said(notices, "frames")
    assert frames.startswith("1200 ms;")


def test_recordings_without_annotations_are_counted() -> None:
    index = CorpusIndex((recording("a"), recording("b", reviewed=False)), CALLS[:2])
    ((level, message),) = said(lines(index, ["a.wav", "b.wav"]), "used recordings")
    assert level == "ok"
    assert "1 of the used ones have no annotations" in message


def test_doubts_are_warnings_with_their_remedy() -> None:
    index = CorpusIndex((recording("a", rate=250000),), (Annotation("a", 1.0, 1.005, "bat"),))
    notices = lines(index, ["a.wav"])
    assert {notice.what for notice in notices if notice.level == "warning"} == {"band unread", "frame too long"}
    assert any(notice.message.startswith("bat: a frame of the model lasts 10 ms") for notice in notices)
    assert said(lines(CorpusIndex((recording("a"),), ()), ["a.wav"]), "labels")[0][0] == "lost"
