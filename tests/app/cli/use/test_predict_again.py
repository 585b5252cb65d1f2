"""``predict`` into a folder that holds something already: what is finished stays, what has changed is done anew."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.app.cli.use.finished_recordings import JOURNAL
from ossicle.app.cli.use.output_tables import NOTES
from ossicle.app.remote.place import is_own
from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.locks.lock import LOCK_FILE, project_lock

from ....doubles.kills import run_dying
from ...conftest import Commands, Said

RUN = "from ossicle.app.cli.main import main; main()"
NAMES = ("one.wav", "three.wav", "two.wav")


def record(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, 16000), 8000)


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    for seed, name in enumerate(NAMES):
        record(tmp_path / "audio" / name, seed)
    return tmp_path / "audio"


def reused(said: Said) -> list[str]:
    """Recordings that were not scored again."""
    return [name for name in NAMES if re.search(rf"{name}: \d+ events? \(done before\)", said.err)]


def content(out: Path) -> str:
    return tree_digest(out, (JOURNAL, LOCK_FILE, NOTES))


def table(out: Path, name: str) -> Path:
    return out / f"{name}.Table.1.selections.txt"


# The beginning of the notes, three points a recording (the note of its table, the table, its line in the journal), then
# note and files of all.
@pytest.mark.parametrize(("left", "done"), [(3, []), (8, ["one.wav", "three.wav"]), (12, list(NAMES))])
def test_killed_anywhere_it_goes_on_from_there(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands, left: int, done: list[str]
) -> None:
    ossicle("predict", old_bundle, audio, "-o", tmp_path / "whole")
    command = ("predict", old_bundle, audio, "-o", tmp_path / "out")
    assert run_dying(RUN, ("replace", "mark"), left, *command).killed
    result = ossicle(*command)
    assert (result.code, reused(result)) == (0, done)
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_what_has_changed_is_done_anew(old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands) -> None:
    out = tmp_path / "out"
    command = ("predict", old_bundle, audio, "-o", out)
    assert reused(ossicle(*command)) == []
    first = content(out)
    assert reused(ossicle(*command)) == list(NAMES)
    assert content(out) == first
    assert reused(ossicle(*command, "--threads", 2)) == []
    assert reused(ossicle(*command)) == []
    assert reused(ossicle(*command, "--force")) == []
    record(audio / "two.wav", 9)
    changed = ossicle(*command)
    assert reused(changed) == ["one.wav", "three.wav"]
    ossicle("predict", old_bundle, audio, "-o", tmp_path / "fresh")
    assert content(out) == content(tmp_path / "fresh") != first


def test_tables_that_people_corrected_stay_and_missing_ones_come_back(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    out = tmp_path / "out"
    ossicle("predict", old_bundle, audio, "-o", out)
    lost = table(out, "one").read_bytes()
    table(out, "one").unlink()
    table(out, "two").write_text("corrected\n")
    result = ossicle("predict", old_bundle, audio, "-o", out, "--format", "raven,audacity,csv")
    assert (result.code, reused(result)) == (0, list(NAMES))
    assert table(out, "one").read_bytes() == lost
    assert table(out, "two").read_text() == "corrected\n"
    assert (out / "three.txt").is_file()


def test_a_recording_that_went_bad_leaves_no_old_table(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    out = tmp_path / "out"
    ossicle("predict", old_bundle, audio, "-o", out)
    (audio / "two.wav").write_bytes(b"")
    for _ in range(2):
        result = ossicle("predict", old_bundle, audio, "-o", out)
        assert (result.code, reused(result)) == (3, ["one.wav", "three.wav"])
        assert not table(out, "two").exists()
        assert "two.wav" not in (out / "events.csv").read_text()
    record(audio / "two.wav", 2)
    assert ossicle("predict", old_bundle, audio, "-o", out).code == 0
    assert table(out, "two").is_file()


@pytest.mark.parametrize("line", ['{"unit": "one.wav", "record": {}}', '{"unit": "one.wav", "record": {"events": 1}}'])
def test_a_strange_line_in_the_journal_is_no_result(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands, line: str
) -> None:
    out = tmp_path / "out"
    ossicle("predict", old_bundle, audio, "-o", out)
    with (out / JOURNAL).open("a") as file:
        file.write(f"{line}\n")
    result = ossicle("predict", old_bundle, audio, "-o", out)
    assert (result.code, reused(result)) == (0, ["three.wav", "two.wav"])


def test_two_at_once_are_told(old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with project_lock(out):
        result = ossicle("predict", old_bundle, audio, "-o", out)
    assert result.code == 1
    assert result.err.startswith(f"ossicle: {out} is in use by process {os.getpid()} on ")
    assert len(result.err.splitlines()) == 1


def test_annotations_made_by_hand_are_not_overwritten(old_bundle: Path, audio: Path, ossicle: Commands) -> None:
    tables = {"one.Table.1.selections.txt": "by hand\n", "events.csv": "file,start_time,end_time,label\n"}
    for name, text in tables.items():
        (audio / name).write_text(text)
    for force in ([], ["--force"]):
        said = ossicle("predict", old_bundle, audio, "-o", audio, *force)
        assert (said.code, said.out) == (2, "")
        assert f"{audio / 'one.Table.1.selections.txt'} and 1 more would be overwritten" in said.err
        assert "give another folder with -o" in said.err
        assert not (audio / LOCK_FILE).exists()
    assert {name: (audio / name).read_text() for name in tables} == tables
    # What it wrote is its own, and nothing else: each format, and each recording, by itself.
    assert ossicle("predict", old_bundle, audio, "-o", audio, "--format", "audacity").code == 0
    assert ossicle("predict", old_bundle, audio, "-o", audio, "--format", "audacity", "--force").code == 0
    said = ossicle("predict", old_bundle, audio, "-o", audio)
    assert (said.code, said.out) == (2, "")
    assert f"{audio / 'one.Table.1.selections.txt'} and 1 more would be overwritten" in said.err
    assert {name: (audio / name).read_text() for name in tables} == tables


def test_a_table_made_by_hand_beside_those_of_an_earlier_predict_stays(
    old_bundle: Path, audio: Path, ossicle: Commands
) -> None:
    assert ossicle("predict", old_bundle, audio / "one.wav", "-o", audio).code == 0
    table(audio, "two").write_text("by hand\n")
    said = ossicle("predict", old_bundle, audio, "-o", audio)
    assert (said.code, said.out) == (2, "")
    assert f"{table(audio, 'two')} would be overwritten" in said.err
    table(audio, "two").unlink()
    assert ossicle("predict", old_bundle, audio, "-o", audio, "--force").code == 0


def test_a_predict_that_failed_makes_no_table_its_own(old_bundle: Path, audio: Path, ossicle: Commands) -> None:
    one = (audio / "one.wav").read_bytes()
    (audio / "one.wav").write_bytes(b"")
    assert ossicle("predict", old_bundle, audio / "one.wav", "-o", audio).code == 3
    (audio / "one.wav").write_bytes(one)
    table(audio, "one").write_text("by hand\n")
    assert ossicle("predict", old_bundle, audio / "one.wav", "-o", audio).code == 2
    assert table(audio, "one").read_text() == "by hand\n"


@pytest.mark.parametrize("name", ["predictions.json", "hits.csv"])
def test_other_files_of_the_user_stay(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # The bundle of these tests chooses no label for a recording.
    monkeypatch.setattr("ossicle.app.cli.use.predict.require_answers", lambda _: None)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine\n")
    said = ossicle("predict", old_bundle, audio, "-o", tmp_path / "out", "--format", "raven,hits")
    assert (said.code, said.out) == (2, "")
    assert f"{tmp_path / 'out' / name} would be overwritten" in said.err
    assert (tmp_path / "out" / name).read_text() == "mine\n"


def test_a_folder_without_notes_holds_tables_of_the_user(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    command = ("predict", old_bundle, audio, "-o", tmp_path / "out")
    assert ossicle(*command).code == 0
    (tmp_path / "out" / NOTES).unlink()
    said = ossicle(*command, "--force")
    assert (said.code, said.out) == (2, "")
    assert f"{table(tmp_path / 'out', 'one')} and 4 more would be overwritten" in said.err


def test_a_corrected_table_is_never_lost(old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands) -> None:
    out = tmp_path / "out"
    command = ("predict", old_bundle, audio, "-o", out)
    assert ossicle(*command).code == 0
    written = table(out, "two").read_text()
    table(out, "two").write_text("corrected\n")
    # With the same bundle and settings it stays; otherwise nothing is scored before it is safe.
    assert ossicle(*command).code == 0
    said = ossicle(*command, "--threads", 2)
    assert (said.code, said.out, reused(said)) == (2, "", [])
    assert f"{table(out, 'two')} would be replaced, and was changed after predict wrote it" in said.err
    assert "--force" in said.err
    assert table(out, "two").read_text() == "corrected\n"
    for number in ("", "2"):
        said = ossicle(*command, "--force")
        assert said.code == 0
        copy = out / f"{table(out, 'two').name}.bak{number}"
        assert f"{table(out, 'two')} was changed after predict wrote it; kept as {copy.name}" in said.err
        assert (copy.read_text(), table(out, "two").read_text()) == ("corrected\n", written)
        table(out, "two").write_text("corrected\n")


def test_a_corrected_table_of_all_recordings_is_never_lost(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    command = ("predict", old_bundle, audio, "-o", tmp_path)
    assert ossicle(*command).code == 0
    (tmp_path / "events.csv").write_text("corrected\n")
    said = ossicle(*command)
    assert (said.code, said.out) == (2, "")
    assert f"{tmp_path / 'events.csv'} would be replaced" in said.err
    (tmp_path / "events.csv").rename(tmp_path / "mine.csv")
    assert ossicle(*command).code == 0


def test_a_corrected_table_of_a_recording_that_went_bad_is_kept(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    out = tmp_path / "out"
    assert ossicle("predict", old_bundle, audio, "-o", out).code == 0
    table(out, "two").write_text("corrected\n")
    (audio / "two.wav").write_bytes(b"")
    assert ossicle("predict", old_bundle, audio, "-o", out).code == 2
    assert ossicle("predict", old_bundle, audio, "-o", out, "--force").code == 3
    assert not table(out, "two").exists()
    assert (out / f"{table(out, 'two').name}.bak").read_text() == "corrected\n"


def test_damaged_notes_are_named_with_a_remedy(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    command = ("predict", old_bundle, audio, "-o", tmp_path)
    assert ossicle(*command).code == 0
    (tmp_path / NOTES).write_text("damaged\n\n\n")
    said = ossicle(*command, "--force")
    assert (said.code, said.out) == (1, "")
    assert f"{tmp_path / NOTES} is damaged" in said.err
    assert "do the step's work again" not in said.err
    (tmp_path / NOTES).unlink()
    assert ossicle(*command, "--force").code == 2
    assert ossicle(*command[:-1], tmp_path / "new").code == 0


def test_notes_have_a_name_that_is_copied_with_the_tables() -> None:
    assert not is_own(NOTES)


def test_tables_of_earlier_calls_that_stay_are_named(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    out, phrase = tmp_path / "out", "is from an earlier predict with other recordings"
    assert "earlier" not in ossicle("predict", old_bundle, audio, "-o", out, "--format", "raven,csv").err
    # The same recordings and the same model: tables in a format that was not asked for again are valid.
    assert "earlier" not in ossicle("predict", old_bundle, audio, "-o", out, "--format", "csv").err
    record(tmp_path / "more" / "four.wav", 9)
    (audio / "two.wav").rename(tmp_path / "more" / "two.wav")
    result = ossicle("predict", old_bundle, audio, "-o", out, "--format", "raven,csv")
    assert result.code == 0
    assert f"{table(out, 'two')} {phrase}" in result.err
    assert table(out, "two").exists()
    result = ossicle("predict", old_bundle, tmp_path / "more", "-o", out, "--format", "raven")
    assert " and 2 more are from earlier calls of predict" in result.err
    # The remedy works.
    for stale in (out / "events.csv", table(out, "one"), table(out, "three")):
        stale.unlink()
    assert "earlier" not in ossicle("predict", old_bundle, tmp_path / "more", "-o", out, "--format", "raven").err
