"""Recordings of which a newer reader finds another length: what was made from their sound is made again by itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.data import corpus, store
from ossicle.app.steps.engine.fingerprint_keys import sound_key
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.audio.containers import layout
from ossicle.audio.store.entries import read_index
from ossicle.core.records import Recording

from ....audio.audio_bytes import encoded, noise
from ....made_up.untrained import PROJECT, RATE, write_tapes

STEPS = (corpus.STEP, store.STEP)


def test_the_store_of_an_mp3_that_a_newer_reader_reads_further_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tapes(tmp_path, ("siteA_1",))
    (tmp_path / "audio" / "siteB_1.mp3").write_bytes(encoded(noise(8 * RATE), "mp3", RATE)[200:])
    (tmp_path / "tables" / "siteB_1.txt").write_text("0.5\t1.0\tcall\n")
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    project = load_project(tmp_path / "ossicle.toml")
    with monkeypatch.context() as older:
        older.setattr(layout, "resume_mpeg", lambda *_, **__: None)
        before = run_steps(STEPS, project, Silent())
    after = run_steps(STEPS, project, Silent(), again=["corpus"])
    assert after.outcomes == {"corpus": "computed", "store": "computed"}
    lengths = [{entry.recording_id: entry.n_samples for entry in read_index(done["store"])[1]} for done in
               (before.artefacts, after.artefacts)]  # fmt: skip
    changed = [key for key in lengths[0] if lengths[0][key] != lengths[1][key]]
    assert len(changed) == 1
    assert lengths[1][changed[0]] > 1.5 * lengths[0][changed[0]]
    assert run_steps(STEPS, project, Silent(), again=["corpus"]).outcomes["store"] == "reused"


def test_sound_that_no_newer_reader_reads_further_keeps_its_key() -> None:
    tape = Recording("a1", "", "night/tape.wav", rate=8000, channels=1, n_samples=80, digest="9f")
    assert sound_key(tape) == sound_key(replace(tape, n_samples=90)) == ["a1", "9f"]
    for read in (replace(tape, path="tape.MP3"), replace(tape, status="partial", reason="cut off")):
        assert sound_key(read) != sound_key(replace(read, n_samples=90))
