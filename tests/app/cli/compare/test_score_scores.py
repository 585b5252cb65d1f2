"""``ossicle score --scores``: DCASE tables and our tracks, names, durations, what is left out and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from ossicle.app.cli.compare.score_files import read_score_set
from ossicle.app.cli.compare.score_scores import score_scores
from ossicle.app.cli.main import app
from ossicle.artefacts.array_files.blocks import write_track
from ossicle.artefacts.files import write_json
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.core.digest import digest
from ossicle.core.errors import FormatError, OssicleError, UsageError
from ossicle.core.records import Recording
from ossicle.core.tracks import ScoreTrack, rasterise
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import raven_name, write_raven
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import write_index

HOP_S, FRAMES = 0.5, 120
LABELS = ("hum", "trill")
CALLS = {
    "one": {"hum": [(3.0, 6.0), (20.0, 22.0)], "trill": [(40.0, 45.0)]},
    "two": {"hum": [], "trill": []},
}


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    folder = tmp_path / "reference"
    folder.mkdir()
    for name, of in CALLS.items():
        rows = [RawSelection(start, end, label) for label, times in of.items() for start, end in times]
        write_raven(folder / raven_name(f"{name}.wav"), rows)
    return folder


def scores_of(name: str) -> np.ndarray:
    """7/8 on the calls, 1/16 elsewhere, and one false hum of 15/16 in the recording without any; exact in float32."""
    columns = [
        1 / 16 + 13 / 16 * rasterise(np.array(CALLS[name][label]).reshape(-1, 2), FRAMES, HOP_S) for label in LABELS
    ]
    scores = np.stack(columns, axis=1)
    if name == "two":
        scores[10:14, 0] = 15 / 16
    return scores


def write_tables(folder: Path, labels: tuple[str, ...] = LABELS) -> Path:
    folder.mkdir()
    for name in CALLS:
        scores = scores_of(name)[:, [LABELS.index(label) for label in labels]]
        lines = ["\t".join(["onset", "offset", *labels])]
        lines += [
            "\t".join([f"{k * HOP_S:g}", f"{(k + 1) * HOP_S:g}", *(f"{one:.6f}" for one in row)])
            for k, row in enumerate(scores.tolist())
        ]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    return folder


def write_tracks(folder: Path, names: dict[str, str]) -> Path:
    folder.mkdir(parents=True)
    for name in CALLS:
        write_track(folder / names[name], ScoreTrack(LABELS, scores_of(name).astype(np.float32), HOP_S, 60.0))
    return folder


@pytest.fixture
def scored() -> Callable[..., Any]:
    def run(reference: Path, scores: Path, *options: str) -> Any:
        command = ["score", "--reference", str(reference), "--scores", str(scores), "--json", *options]
        done = CliRunner().invoke(app, command, catch_exceptions=False)
        assert done.exit_code == 0
        return json.loads(done.stdout)

    return run


def test_tables_and_tracks_say_the_same(tmp_path: Path, reference: Path, scored: Callable[..., Any]) -> None:
    tables = scored(reference, write_tables(tmp_path / "tables"))
    tracks = scored(reference, write_tracks(tmp_path / "own", {name: name for name in CALLS}))
    assert tables == tracks
    assert (tables["n_recordings"], tables["duration_s"], tables["durations_from"]) == (2, 120.0, "scores")
    # The false hum comes first, at 30 an hour: below that no hum is found, and trills always are.
    assert tables["psds"]["scenario_1"]["per_label"] == {"hum": 0.7, "trill": 1.0}
    assert tables["psds"]["scenario_1"]["value"] == pytest.approx(0.7)
    hum = tables["frames"]["per_label"]["hum"]
    assert hum["positive_s"] == 5.0
    # Two seconds of 15/16 come before the five that are right.
    assert hum["average_precision"] == pytest.approx(10 / 14)
    assert tables["frames"]["per_label"]["trill"]["average_precision"] == 1.0
    assert hum["brier"] == pytest.approx((113 / 16**2 + 5 / 8**2 + 2 * (15 / 16) ** 2) / 120, abs=1e-6)
    assert sum(row["seconds"] for row in tables["frames"]["reliability"]) == 240.0


def test_a_label_that_is_everywhere_has_no_psds(tmp_path: Path, scored: Callable[..., Any]) -> None:
    scores, reference = write_tables(tmp_path / "tables"), tmp_path / "everywhere"
    reference.mkdir()
    for name, of in CALLS.items():
        rows = [RawSelection(0.0, 60.0, "hum"), *(RawSelection(start, end, "trill") for start, end in of["trill"])]
        write_raven(reference / raven_name(f"{name}.wav"), rows)
    figures = scored(reference, scores)
    assert figures["frames"]["everywhere"] == ["hum"]
    for scenario in figures["psds"].values():
        assert (scenario["value"], scenario["per_label"]) == (1.0, {"hum": None, "trill": 1.0})


def test_durations_come_from_a_table(tmp_path: Path, reference: Path, scored: Callable[..., Any]) -> None:
    durations = tmp_path / "durations.tsv"
    durations.write_text("filename\tduration\none.wav\t90\ntwo.wav\t90\nthree.wav\t5\n")
    out = scored(reference, write_tables(tmp_path / "tables"), "--durations", str(durations))
    assert (out["duration_s"], out["durations_from"]) == (180.0, "table")
    # The same false hum is 20 an hour now.
    assert out["psds"]["scenario_1"]["per_label"]["hum"] == 0.8
    durations.write_text("filename\tduration\none.wav\t90\n")
    with pytest.raises(UsageError, match="no duration for two"):
        scored(reference, tmp_path / "tables", "--durations", str(durations))


def test_false_alarms_an_hour_of_events(tmp_path: Path, reference: Path) -> None:
    durations = tmp_path / "durations.tsv"
    durations.write_text("filename\tduration\none.wav\t1800\ntwo.wav\t1800\n")
    predicted = tmp_path / "predicted"
    predicted.mkdir()
    write_raven(predicted / raven_name("two.wav"), [RawSelection(1.0, 2.0, "hum"), RawSelection(5.0, 6.0, "trill")])
    command = ["score", "--reference", str(reference), "--predictions", str(predicted), "--durations", str(durations)]
    done = CliRunner().invoke(app, [*command, "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["false_alarms_per_hour"] == {"all": 2.0, "hum": 1.0, "trill": 1.0}
    assert "false/h" in CliRunner().invoke(app, command, catch_exceptions=False).stdout


@pytest.mark.parametrize(
    ("suffix", "lengths"),
    # Scores of earlier releases do not hold the lengths of MP3 files.
    [("wav", ()), ("mp3", ()), ("mp3", (480_000,))],
)
def test_the_step_scores_is_read_by_the_names_of_its_corpus(
    tmp_path: Path, reference: Path, scored: Callable[..., Any], suffix: str, lengths: tuple[int, ...]
) -> None:
    ids = {"one": "00aa", "two": "00bb"}
    recordings = [Recording(ids[name], "r", f"site/{name}.{suffix}", 8000, 1, 480_000, f"{name}") for name in CALLS]
    corpus, scores = tmp_path / "data" / "corpus" / "c0", tmp_path / "data" / "scores" / "s0"
    corpus.mkdir(parents=True)
    write_index(CorpusIndex(tuple(recordings), ()), CorpusFolder(corpus))
    write_json(corpus / "artefact.json", {})
    write_tracks(scores / "tracks", ids)
    read = digest(sorted([recording.id, recording.digest, *lengths] for recording in recordings))
    write_json(scores / "artefact.json", {"inputs": {"corpus": read}})
    assert scored(reference, scores) == scored(reference, write_tables(tmp_path / "tables"))
    write_json(scores / "artefact.json", {"inputs": {"corpus": "another"}})
    with pytest.raises(UsageError, match="the names of its recordings are not in"):
        scored(reference, scores)


def test_what_is_left_out_is_said(tmp_path: Path, reference: Path) -> None:
    tables = write_tables(tmp_path / "tables", ("hum",))
    (tables / "more.tsv").write_text("onset\toffset\thum\n0\t1\t0.5\n")
    command = ["score", "--reference", str(reference), "--scores", str(tables)]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert "skipped, no reference: more" in done.stderr
    assert "skipped, labels without scores: trill" in done.stderr
    assert "PSDS 1" in done.stdout
    assert "share positive" in done.stdout
    out = json.loads(CliRunner().invoke(app, [*command, "--json"], catch_exceptions=False).stdout)
    assert (out["left_out"], out["labels_left_out"]) == (["more"], ["trill"])


def test_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    tables = write_tables(tmp_path / "tables")
    lines = [line.split("\t") for line in (tables / "two.tsv").read_text().splitlines()]
    (tables / "two.tsv").write_text("\n".join("\t".join([a, b, trill, hum]) for a, b, hum, trill in lines) + "\n")
    score_set = read_score_set(tables)
    assert score_set.labels == LABELS
    np.testing.assert_allclose(score_set.tracks["two"].scores, scores_of("two"), atol=1e-6)


def test_what_cannot_be_scored_is_refused(tmp_path: Path, reference: Path, scored: Callable[..., Any]) -> None:
    tables = write_tables(tmp_path / "tables")
    (tmp_path / "nothing").mkdir()
    wrong: list[tuple[Path, tuple[str, ...], type[OssicleError], str]] = [
        (tmp_path / "gone", (), UsageError, "is not a folder"),
        (tmp_path / "nothing", (), UsageError, "contains no scores"),
        (tables, ("--iou", "0.5"), UsageError, "apply to events only"),
        (tables, ("--predictions", str(tables)), UsageError, "either --predictions"),
    ]
    for place, options, kind, words in wrong:
        with pytest.raises(kind, match=words):
            scored(reference, place, *options)
    (tables / "two.tsv").write_text("onset\toffset\tbuzz\n0\t1\t0.5\n")
    with pytest.raises(FormatError, match=r"two\.tsv: has the labels buzz, but one\.tsv has hum, trill"):
        scored(reference, tables)
    (tables / "two.tsv").write_text("onset\toffset\thum\ttrill\n0\t0\t0.5\t0.5\n")
    with pytest.raises(FormatError, match=r"two\.tsv: .*ascend"):
        scored(reference, tables)
    (tables / "two.tsv").unlink()
    with pytest.raises(UsageError, match="no scores of two"):
        scored(reference, tables)


def test_scores_that_are_no_numbers_are_refused_with_the_file(tmp_path: Path, reference: Path) -> None:
    folder = tmp_path / "tracks"
    folder.mkdir()
    for name in CALLS:
        write_track(folder / name, ScoreTrack(LABELS, scores_of(name), HOP_S, HOP_S * FRAMES))
    damaged = np.load(folder / "two.npy")
    damaged[3, 0] = np.nan
    np.save(folder / "two.npy", damaged)
    with pytest.raises(FormatError, match=r"two\.npy: a score is not a finite number.*; score the recording again"):
        read_score_set(folder)


def test_tables_of_only_a_header_are_compared_or_refused_in_words(tmp_path: Path, reference: Path) -> None:
    empty, durations = tmp_path / "empty", tmp_path / "durations.tsv"
    empty.mkdir()
    for name in CALLS:
        (empty / f"{name}.tsv").write_text("onset\toffset\thum\ttrill\n")
    durations.write_text("filename\tduration\none\t60\ntwo\t60\n")
    given = ["score", "--reference", str(reference), "--scores", str(empty), "--json"]
    done = CliRunner().invoke(app, [*given, "--durations", str(durations)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["psds"]["scenario_1"]["value"] == 0.0
    with pytest.raises(UsageError, match="no score table holds a frame; give --durations"):
        score_scores(reference, empty, None, "auto", as_json=True)
    (tmp_path / "nobody.csv").write_text("file,start_time,end_time,label\n")
    with pytest.raises(UsageError, match=r"nobody\.csv: names no annotated recording"):
        score_scores(tmp_path / "nobody.csv", empty, durations, "auto", as_json=True)
