"""Outputs of the steps that need no training, on a fixed input: a change needs a new STEP_VERSION and new digests."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.data import corpus, dataset
from ossicle.app.steps.engine.step import Context, Silent, run_steps
from ossicle.app.steps.judge import calibration, decision, evaluation, second_stage
from ossicle.artefacts.array_files.blocks import write_track
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.artefacts.tables import read_table
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.core.digest import digest
from ossicle.core.tracks import ScoreTrack, rasterise
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.corpus.indexing.index_storage import read_index

RATE = 8000
PROJECT = """
base = "recipe:tapes"
[corpus]
audio = "audio"
annotations = "tables"
name_template = "site{site}_*"
[split]
group = "site"
[frontend]
rate = 8000
n_fft = 256
hop_samples = 80
fmax_hz = 4000.0
[calibration]
kind = "platt"
[evaluation]
bootstrap = 100
"""

# (step, STEP_VERSION): digest of what it writes, tables by value and figures to six decimals.
GOLDEN = {
    ("dataset", 5): "b2e49260ed71261e46ad4c1419dfe9e64a0ebc1bb7d2c2902cc89e74e8974875",
    ("decision", 3): "279d7beae303bdcda00d18392a0640742e7f2d172c7b28f6f9f15da78401a233",
    ("calibration", 2): "0c8ccd7b784d47839edfb91bec3753c0fbf071da6e3b5f0f14d14cf31263df51",
    ("second_stage", 1): "f6676cbd8a37290ad5b342d062f934650e1a9c526b048fca6d278dac25f77fbd",
    ("evaluation", 6): "3131f4b27c9e80cca0d44947afca0b44b61cfd162e40b26777baac818da0015d",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("steps")
    (folder / "audio").mkdir()
    (folder / "tables").mkdir()
    for number, site in enumerate("ABCA"):
        stem = f"site{site}_{number}"
        samples = (np.random.default_rng(number).standard_normal(10 * RATE) * 1000).astype("<i2")
        with wave.open(str(folder / "audio" / f"{stem}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        starts = 0.5 + np.arange(4) * 2 + 0.1 * number
        rows = [
            RawSelection(float(start), float(start) + 0.1 + 0.02 * number, "call", quality=1 + number)
            for start in starts
        ]
        write_raven(folder / "tables" / f"{stem}.Table.1.selections.txt", rows)
    (folder / "ossicle.toml").write_text(PROJECT)
    return load_project(folder)


@pytest.fixture(scope="module")
def artefacts(project: Project) -> dict[str, Path]:
    result = dict(run_steps((corpus.STEP, dataset.STEP), project, Silent()).artefacts)
    result["scores"] = project.data_root / "made-up-scores"
    make_scores(result["corpus"], result["scores"])
    for step in (decision.STEP, calibration.STEP, second_stage.STEP, evaluation.STEP):
        out = result[step.name] = project.data_root / f"{step.name}-out"
        out.mkdir()
        inputs = {name: result[name] for name in step.needs}
        log, journal = RunLog(out / "run.jsonl"), Journal(out / "journal.jsonl")
        step.run(Context(project, inputs, out, Silent(), log, journal, {}))
    return result


def make_scores(index: Path, scores: Path) -> None:
    """Scores that follow the annotations, a little late and not always."""
    read = read_index(CorpusFolder(index))
    for number, recording in enumerate(sorted(read.recordings, key=lambda recording: recording.path)):
        times = [(note.start_s, note.end_s) for note in read.annotations if note.recording_id == recording.id]
        shifted = np.array(times)[number % 2 :] + 0.01 * number
        values = 0.05 + 0.9 * rasterise(shifted, 1000, 0.01)
        path = ScoresFolder(scores).track_path(recording.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_track(path, ScoreTrack(("call",), values[:, None].astype(np.float32), 0.01, recording.duration_s))


def content(folder: Path) -> str:
    parts: dict[str, object] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix == ".parquet":
            parts[file.name] = rounded(read_table(file).to_dicts())
        elif file.suffix == ".json" and file.name != "artefact.json":
            parts[file.name] = rounded(json.loads(file.read_text()))
    assert parts
    return digest(parts)


def rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "step",
    [dataset.STEP, decision.STEP, calibration.STEP, second_stage.STEP, evaluation.STEP],
    ids=lambda step: step.name,
)
def test_an_output_changes_only_with_its_version(artefacts, step):
    result = content(artefacts[step.name])
    assert result == GOLDEN.get((step.name, step.version)), (
        f"{step.name} writes something else than before: raise its STEP_VERSION, and put {result!r} here"
    )
