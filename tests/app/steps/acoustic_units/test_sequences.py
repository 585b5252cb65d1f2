"""Step ``sequences``: every frame has its unit, nothing is done twice, and other frames are refused."""

import numpy as np
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.acoustic_units import features, quantiser, segments, sequences
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.app.steps.pipeline.work_units import run_work_unit
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.sequences import SequencesFolder
from ossicle.core.errors import UsageError
from ossicle.units.normalisation import statistics_of
from ossicle.units.quantiser import Quantiser
from ossicle.units.sequences import runs_of

from ....made_up.speech_like import UNITS_PROJECT, write_speech

BEFORE = (corpus.STEP, segments.STEP, features.STEP, quantiser.STEP)
STEPS = (*BEFORE, sequences.STEP)
PROJECT = f"""{UNITS_PROJECT}[quantiser]
k = 12
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose sequences are still to be made."""
    folder = write_speech(tmp_path_factory.mktemp("sequences"), words=6)
    (folder / "ossicle.toml").write_text(PROJECT)
    project = load_project(folder)
    run_steps(BEFORE, project, Silent())
    return project


def changed(project: Project, *changes: str) -> Project:
    return load_project(project.file, changes)


@pytest.mark.parametrize("normalisation", ["none", "corpus", "segment", "group"])
def test_every_frame_of_every_segment_has_its_unit(finished: Project, normalisation: str) -> None:
    done = run_steps(STEPS, changed(finished, f"quantiser.normalisation={normalisation}"), Silent()).artefacts
    own, table = SequencesFolder.among(done), SegmentsFolder.among(done).table()
    trained = Quantiser.read(QuantiserFolder.among(done).path)
    frames = {key: values for key, values, _ in FeaturesFolder.among(done).frames()}
    assert own.table["segment_id"].to_list() == table["segment_id"].to_list()
    facts = {row["segment_id"]: row for row in table.to_dicts()}
    whole = {
        group: statistics_of(np.concatenate([frames[key] for key, row in facts.items() if row["group"] == group]))
        for group in table["group"].unique()
    }
    for row in own.rows():
        fact = facts[row.segment_id]
        assert (row.recording_id, row.group, row.start_s) == (fact["recording_id"], fact["group"], fact["start_s"])
        # The normalisation `group` takes the mean of all frames of a speaker, not of the segment.
        expected = trained.assign(frames[row.segment_id], whole[row.group] if normalisation == "group" else None)
        assert row.units.tolist() == expected.tolist()
        assert row.runs.tolist() == runs_of(row.units).units.tolist()
        assert row.run_frames.tolist() == runs_of(row.units).frames.tolist()
    assert own.summary["frames"] == sum(map(len, frames.values()))
    assert (own.summary["n_units"], own.summary["quantiser"]) == (12, trained.digest)
    assert (own.summary["hop_s"], own.summary["origin_s"]) == (0.02, 0.0125)


def test_an_interrupted_step_assigns_no_finished_shard_again(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = changed(finished, "quantiser.seed=1")
    assign, names = sequences._assign, []

    def stops(job: sequences._Job) -> int:
        names.append(job.name)
        if len(names) == 3:
            raise KeyboardInterrupt
        return assign(job)

    monkeypatch.setattr(sequences, "_assign", stops)
    with pytest.raises(KeyboardInterrupt):
        run_steps(STEPS, project, Silent())
    run_steps(STEPS, project, Silent())
    shards = FeaturesFolder.among(run_steps(STEPS, project, Silent()).artefacts).shard_names
    assert sorted(names) == sorted([*shards, names[2]])


def test_workers_change_no_byte(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    content = SequencesFolder.among(run_steps(STEPS, finished, Silent()).artefacts).content
    monkeypatch.setattr(sequences, "_LEAST_FRAMES_A_WORKER", 1)
    again = run_steps(STEPS, changed(finished, "project.workers=2"), Silent(), again=(sequences.STEP.name,))
    assert SequencesFolder.among(again.artefacts).content == content


def test_shards_may_be_done_by_tasks_of_their_own(finished: Project) -> None:
    project = changed(finished, "quantiser.seed=2")
    inputs = run_steps(BEFORE, project, Silent()).artefacts
    assert sequences.STEP.work_units is not None
    for name in sequences.STEP.work_units.names_from(inputs):
        assert run_work_unit(project, "sequences", name, Silent()) == "computed"
    tasks = SequencesFolder.among(run_steps(STEPS, project, Silent()).artefacts).content
    alone = run_steps(STEPS, project, Silent(), again=("sequences",)).artefacts
    assert SequencesFolder.among(alone).content == tasks


def test_frames_of_another_hop_are_refused(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FeaturesFolder, "hop_s", 0.01)
    with pytest.raises(UsageError, match=r"hop_s = 0\.02, these frames 0\.01"):
        run_steps(STEPS, finished, Silent(), again=("sequences",))
