"""``predict`` and ``stream`` with a bundle of states: the same states from files, streams and arrays."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ossicle.app.api.bundles.loaded_bundle import load_bundle
from ossicle.app.api.states.loaded_states import LoadedStates
from ossicle.app.api.states.state_prediction import StatePrediction
from ossicle.artefacts.locks.lock import LOCK_FILE
from ossicle.audio.wav import write_wav
from ossicle.core.decisions.states import StateDecision

from ....made_up.state_bundle import DECISION, LABELS, RATE, hums, write_state_bundle
from ...conftest import Commands

KITCHEN = ((6.3, 0, 0), (8.1, 0, 1), (8.2, 1, 1), (8.4, 0, 1), (7.0, 0, 0))
FEEDS_S = (0.05, 0.25, 1.37, 5.0)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_state_bundle(tmp_path / "bundle", hop_s=0.3).folder


@pytest.fixture
def unfitted(tmp_path: Path) -> Path:
    states = StateDecision(masks=DECISION.masks, priority=LABELS)
    return write_state_bundle(tmp_path / "unfitted", states=states).folder


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    folder = tmp_path / "audio"
    folder.mkdir()
    write_wav(folder / "kitchen.wav", hums(*KITCHEN), RATE)
    write_wav(folder / "off.wav", hums((5.0, 0, 0)), RATE)
    write_wav(folder / "hot.wav", hums((5.0, 1, 1), rate=22_050), 22_050)
    return folder


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_an_interrupted_prediction_continues_and_gives_the_same_tables(
    bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ossicle("predict", bundle, audio, "-o", tmp_path / "whole").code == 0
    read, predict_file = [], LoadedStates.predict_file

    def stopped_after_one(states: LoadedStates, path: Path, name: str = "") -> StatePrediction:
        read.append(name)
        if len(read) == 2:
            raise KeyboardInterrupt
        return predict_file(states, path, name)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(LoadedStates, "predict_file", stopped_after_one)
        assert ossicle("predict", bundle, audio, "-o", out).code == 130
    assert not (out / "states.json").exists()
    (out / "states.parquet").write_bytes(b"mine")
    assert ossicle("predict", bundle, audio, "-o", out, "--format", "json,csv,parquet").code == 2
    assert (out / "states.parquet").read_bytes() == b"mine"
    again = ossicle("predict", bundle, audio, "-o", out)
    assert again.code == 0
    assert again.err.count("done before") == 1
    for file in ("states.json", "states.csv", "files.csv"):
        assert (out / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file
    assert ossicle("predict", bundle, audio, "-o", out).err.count("done before") == 3
    write_wav(audio / "off.wav", hums((6.0, 0, 0)), RATE)
    assert ossicle("predict", bundle, audio, "-o", out).err.count("done before") == 2
    assert "done before" not in ossicle("predict", bundle, audio, "-o", out, "--force").err
    assert "done before" not in ossicle("predict", bundle, audio, "-o", out, "--scores-only").err


def test_a_damaged_journal_costs_only_its_lines(bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands) -> None:
    out = tmp_path / "out"
    assert ossicle("predict", bundle, audio, "-o", out).code == 0
    journal = out / "predictions.journal.jsonl"
    journal.write_text(journal.read_text().replace('"fridge"', '"freezer"'))
    again = ossicle("predict", bundle, audio, "-o", out)
    assert again.code == 0
    assert "freezer" not in (out / "states.csv").read_text()


def test_stream_and_predict_give_the_same_changes_at_any_feed(bundle: Path, audio: Path, ossicle: Commands) -> None:
    """The window of 2 s is no multiple of the hop of 0.3 s: in the old system it never filled."""
    whole = load_bundle(bundle).states.predict_file(audio / "kitchen.wav").changes
    assert [(state_change.label, state_change.state) for state_change in whole[2:]] == [
        ("fridge", "on"),
        ("ac", "on"),
        ("fridge", "unknown"),
        ("ac", "off"),
        ("fridge", "on"),
        ("fridge", "off"),
    ]
    expected = [
        (round(state_change.time_s, 6), state_change.label, state_change.state, round(state_change.decided_at_s, 6))
        for state_change in whole
    ]
    for feed_s in FEEDS_S:
        result = ossicle("stream", bundle, audio / "kitchen.wav", "--chunk-s", feed_s)
        assert result.code == 0
        found = [(line["time_s"], line["label"], line["state"], line["decided_at_s"]) for line in lines(result.out)]
        assert found == expected


def test_stream_ends_with_the_event_log_of_the_file(bundle: Path, audio: Path, ossicle: Commands) -> None:
    prediction = load_bundle(bundle).states.predict_file(audio / "kitchen.wav")
    result = ossicle("stream", bundle, audio / "kitchen.wav", "--only-changes")
    header, _, *rows, delays = [line for line in result.err.splitlines() if line.strip()]
    assert header.split()[0] == "label"
    for row, label in zip(rows, ("ac", "fridge"), strict=True):
        own = [stretch for stretch in prediction.stretches if stretch.label == label]
        on = [state_stretch.end_s - state_stretch.start_s for state_stretch in own if state_stretch.state == "on"]
        known_s = sum(
            state_stretch.end_s - state_stretch.start_s for state_stretch in own if state_stretch.state != "unknown"
        )
        figures = (len(on), f"{sum(on):.1f}", f"{100 * sum(on) / known_s:.1f} %")
        assert (
            row.split() == " ".join(map(str, (label, *figures, f"{sum(on) / len(on):.1f}", f"{max(on):.1f}"))).split()
        )
    late_s = sorted(change.decided_at_s - change.time_s for change in prediction.changes)
    assert delays.startswith("changes were decided after ")
    assert delays.endswith(f"at most {late_s[-1]:.2f} s")


def test_the_status_of_a_moment_is_that_after_all_its_changes(bundle: Path, audio: Path, ossicle: Commands) -> None:
    every = lines(ossicle("stream", bundle, audio / "kitchen.wav").out)
    assert [one["status"] for one in every] == [
        "both-off",
        "both-off",
        "fridge-on",
        "ac-on",
        "ac-on",
        "fridge-on",
        "fridge-on",
        "both-off",
    ]
    assert lines(ossicle("stream", bundle, audio / "kitchen.wav", "--only-changes").out) == every


def test_only_changes_leaves_out_what_does_not_change_the_status(
    tmp_path: Path, audio: Path, ossicle: Commands
) -> None:
    alone = StateDecision(DECISION.rules, {}, ("ac",))
    bundle = write_state_bundle(tmp_path / "alone", states=alone).folder
    result = lines(ossicle("stream", bundle, audio / "kitchen.wav", "--only-changes").out)
    assert [(one["label"], one["state"], one["status"]) for one in result] == [
        ("ac", "off", "ac-off"),
        ("fridge", "off", "ac-off"),
        ("ac", "on", "ac-on"),
        ("ac", "off", "ac-off"),
    ]


def test_predict_writes_states_in_all_formats(bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands) -> None:
    result = ossicle("predict", bundle, audio, "-o", tmp_path / "out", "--format", "json,csv,parquet")
    assert result.code == 0
    names = {path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")}
    assert {"states.json", "states.csv", "states.parquet", "files.csv", "files.parquet"} <= names
    table = pl.read_csv(tmp_path / "out" / "states.csv")
    stored = pl.read_parquet(tmp_path / "out" / "states.parquet")
    assert sorted(table.select("recording", "label", "state").rows()) == sorted(
        stored.select("recording", "label", "state").rows()
    )
    hot = stored.filter(pl.col("recording") == "hot.wav")
    assert hot.select("label", "state").rows() == [("ac", "unknown"), ("ac", "on"), ("fridge", "unknown")]
    assert hot.filter(pl.col("label") == "fridge").select("start_s", "end_s").rows() == [(0.0, 5.0)]
    files = pl.read_csv(tmp_path / "out" / "files.csv").select("path", "ac", "fridge", "state", "reading").rows()
    assert files == [
        ("hot.wav", "on", "unknown", "ac-on", "ok"),
        ("kitchen.wav", "off", "on", "fridge-on", "ok"),
        ("off.wav", "off", "off", "both-off", "ok"),
    ]
    (kitchen,) = [
        recording
        for recording in json.loads((tmp_path / "out" / "states.json").read_text())["recordings"]
        if recording["recording"] == "kitchen.wav"
    ]
    assert (kitchen["state"], kitchen["states"]) == ("fridge-on", {"ac": "off", "fridge": "on"})
    assert kitchen["stretches"][0] == {
        "start_s": 0.0,
        "end_s": kitchen["stretches"][1]["start_s"],
        "label": "ac",
        "state": "unknown",
        "score": None,
    }
    assert kitchen["stretches"][-1]["end_s"] == pytest.approx(sum(seconds for seconds, *_ in KITCHEN))


def test_an_unreadable_file_costs_only_itself(bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands) -> None:
    (audio / "broken.wav").write_bytes(b"RIFF")
    result = ossicle("predict", bundle, audio, "-o", tmp_path / "out")
    assert result.code == 3
    rows = pl.read_csv(tmp_path / "out" / "files.csv").select("path", "reading", "state").rows()
    assert rows[0] == ("broken.wav", "left_out", "unknown")
    assert [state for *_, state in rows[1:]] == ["ac-on", "fridge-on", "both-off"]
    assert "broken.wav" not in pl.read_csv(tmp_path / "out" / "states.csv")["recording"]


def test_channels_that_cancel_are_reported(bundle: Path, tmp_path: Path, ossicle: Commands) -> None:
    left = hums((4.0, 0, 1))
    write_wav(tmp_path / "a.wav", np.stack([left, -left], axis=1), RATE)
    result = ossicle("predict", bundle, tmp_path / "a.wav", "-o", tmp_path / "out")
    assert "so states may be wrong; choose one with --channel first or loudest" in result.err
    ossicle("predict", bundle, tmp_path / "a.wav", "-o", tmp_path / "first", "--channel", "first")
    assert pl.read_csv(tmp_path / "first" / "files.csv")["state"].to_list() == ["fridge-on"]


def expecting(tmp_path: Path, *rows: str, header: str = "path,ac,fridge,state") -> Path:
    path = tmp_path / "expected.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_what_is_as_expected_ends_with_0(bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands) -> None:
    # The fridge of hot.wav runs, but the AC hides it: unknown is right.
    table = expecting(tmp_path, "audio/hot.wav,on,on,ac-on", "kitchen.wav,0,1,fridge-on", "off.wav,off,,")
    result = ossicle("predict", bundle, audio, "-o", tmp_path / "out", "--expect", table)
    assert result.code == 0
    assert "7 of 7 as expected" in result.out
    # The table of files that predict writes can be given as it is.
    again = ossicle("predict", bundle, audio, "-o", tmp_path / "b", "--expect", tmp_path / "out" / "files.csv")
    assert again.code == 0


def test_what_differs_is_printed_and_ends_with_1(bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands) -> None:
    table = expecting(tmp_path, "hot.wav,off,off,", "kitchen.wav,off,on,", "away.wav,on,off,")
    result = ossicle("predict", bundle, audio, "-o", tmp_path / "out", "--expect", table)
    assert result.code == 1
    found = [
        re.split(r"\s{2,}", line.strip()) for line in result.out.splitlines() if line.rstrip().endswith(" differs")
    ]
    assert found == [
        ["hot.wav", "ac", "off", "on", "differs"],
        ["hot.wav", "fridge", "off", "unknown", "differs"],
        ["hot.wav", "(status)", "both-off", "ac-on", "differs"],
        ["away.wav", "ac", "on", "missing", "differs"],
        ["away.wav", "fridge", "unknown", "missing", "differs"],
        ["away.wav", "(status)", "ac-on", "missing", "differs"],
    ]
    assert "2 recordings not as expected, first hot.wav" in result.err
    as_json = ossicle("predict", bundle, audio, "-o", tmp_path / "out", "--expect", table, "--json")
    assert as_json.code == 1
    assert [one["agrees"] for one in json.loads(as_json.out)["expected"]] == [False] * 3 + [True] * 3 + [False] * 3


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (
            "path,ac",
            "off.wav,running",
            r"line 2: ac = 'running' is not on or off \(or 1, 0, yes, no, an, aus\), unknown or empty",
        ),
        ("path,ac", "off.wav,on\noff.wav,on", r"line 3: 'off.wav' is there twice"),
        ("name,ac", "off.wav,on", "no column names the recordings; call it path, recording or file"),
        ("path,tv", "off.wav,on", r"neither a column for a label \(ac, fridge\) nor a column state"),
        ("path,ac", "off.wav,", "the table expects no state of any recording"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands, header: str, row: str, message: str
) -> None:
    table = expecting(tmp_path, row, header=header)
    result = ossicle("predict", bundle, audio, "-o", tmp_path / "out", "--expect", table)
    assert result.code == 2
    assert re.search(message, result.err)


def test_a_bundle_without_a_fitted_decision_is_refused_with_the_missing_step(
    unfitted: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    for words in (("predict", unfitted, audio, "-o", tmp_path / "out"), ("stream", unfitted, audio / "off.wav")):
        result = ossicle(*words)
        assert (result.code, result.out) == (2, "")
        assert "the step state_decision of its project was not done" in result.err
        assert "`ossicle run -p PROJECT`" in result.err
    assert not (tmp_path / "out").exists()
    scored = ossicle("predict", unfitted, audio, "-o", tmp_path / "out", "--scores-only")
    assert scored.code == 0


def test_scores_only_writes_the_scores_of_full_windows(
    bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    words = ("predict", bundle, audio, "-o", tmp_path / "out", "--scores-only", "--format", "csv,json,parquet")
    assert ossicle(*words).code == 0
    table = pl.read_parquet(tmp_path / "out" / "scores.parquet")
    assert table.columns == ["recording", "time_s", "ac", "fridge"]
    off = table.filter(pl.col("recording") == "off.wav")
    # Windows of 2 s every 0.3 s in 5 s, timed in their middle.
    assert off["time_s"].to_list() == pytest.approx([1.05 + 0.3 * k for k in range(10)])
    assert off["ac"].max() < 0.1
    assert len(pl.read_csv(tmp_path / "out" / "scores.csv")) == len(table)
    stored = json.loads((tmp_path / "out" / "scores.json").read_text())["recordings"]["off.wav"]
    assert stored["time_s"] == off["time_s"].to_list()
    assert not (tmp_path / "out" / "states.csv").exists()


def test_options_of_the_other_kind_of_bundle_are_refused(
    bundle: Path, old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    out = ("-o", tmp_path / "out")
    table = expecting(tmp_path, "off.wav,on,on,")
    for words, message in [
        (("predict", bundle, audio, *out, "--format", "raven"), "--format raven is not one of: json, csv, parquet"),
        (("predict", bundle, audio, *out, "--cutouts", tmp_path / "cut"), "--cutouts writes events"),
        (("predict", bundle, audio, *out, "--expect", table, "--scores-only"), "leave one of the two out"),
        (("predict", bundle, audio, *out, "--expect", tmp_path / "no.csv"), "no.csv: does not exist"),
        (("predict", bundle, audio, *out, "--runtime", "openvino"), "leave out --runtime"),
        (("predict", bundle, audio, *out, "--format", "midi"), "--format midi is not one of: json, csv, parquet"),
        (("predict", old_bundle, audio, *out, "--scores-only"), "--scores-only is for bundles of states"),
        (("predict", old_bundle, audio, *out, "--expect", table), "--expect is for bundles of states"),
        (("stream", old_bundle, audio / "off.wav", "--only-changes"), "--only-changes is for bundles of states"),
    ]:
        result = ossicle(*words)
        assert result.code == 2, words
        assert message in result.err


def test_states_of_a_folder_with_an_unread_format_are_incomplete(
    bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    (audio / "hall.sud").write_bytes(b"not read")
    result = ossicle("predict", bundle, audio, "-o", tmp_path / "out")
    assert result.code == 3
    assert f"{audio}: not read: 1 file (hall.sud)" in result.err


def test_a_table_of_the_user_is_not_overwritten(bundle: Path, audio: Path, ossicle: Commands) -> None:
    (audio / "files.csv").write_text("path,ac\n")
    said = ossicle("predict", bundle, audio, "-o", audio)
    assert (said.code, said.out) == (2, "")
    assert f"{audio / 'files.csv'} would be overwritten" in said.err
    assert (audio / "files.csv").read_text() == "path,ac\n"
    assert not (audio / LOCK_FILE).exists()


@pytest.mark.parametrize("options", [(), ("--scores-only",)])
def test_a_place_without_locks_knows_its_own_tables(
    bundle: Path,
    audio: Path,
    tmp_path: Path,
    ossicle: Commands,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
) -> None:
    monkeypatch.setenv("OSSICLE_LOCKS", "none")
    for _ in range(2):
        assert ossicle("predict", bundle, audio, "-o", tmp_path / "out", *options).code == 0
    (tmp_path / "out" / "files.parquet").write_bytes(b"mine")
    assert ossicle("predict", bundle, audio, "-o", tmp_path / "out", "--format", "json,parquet").code == 2
