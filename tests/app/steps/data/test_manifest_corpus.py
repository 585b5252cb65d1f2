"""The step ``corpus`` of a project with a manifest: killed anywhere, moved anywhere, with any number of workers."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.data import corpus, dataset
from ossicle.app.steps.engine.step import Done, Silent, run_steps
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.corpus.indexing.examining.probing import Examiner
from ossicle.corpus.manifest import manifest_index
from ossicle.corpus.manifest.byte_blocks import block_count

from ....doubles.kills import NEVER, run_dying
from ...conftest import Commands

STEPS = (corpus.STEP, dataset.STEP)
PROJECT = """base = "recipe:tapes"
[corpus]
audio = "nothing"
manifest = "events.jsonl"
name_template = ""
[split]
group = "session"
[roots]
"""
RUN = """
import warnings
from pathlib import Path
from ossicle.app.project.load import load_project
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.corpus.manifest import manifest_index
if __name__ == "__main__":
    folder, workers = sys.argv[1], sys.argv[2]
    manifest_index.index_manifest.__kwdefaults__["block_bytes"] = 20_000
    project = load_project(Path(folder), (f"project.workers={workers}",))
    run_steps((corpus.STEP,), project, Silent())
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A manifest of 600 events in 12 sessions, with recordings, and a project file that names their roots."""
    sys.path.insert(0, str(repository / "benchmarks"))
    try:
        from drum_manifest import SOURCES, write_manifest
    finally:
        sys.path.remove(str(repository / "benchmarks"))
    folder = tmp_path_factory.mktemp("manifest")
    write_manifest(folder, 600, 12, 5, audio="hits", rate=4000)
    roots = "".join(f'{one.name} = ["audio/{one.name}"]\n' for one in SOURCES)
    (folder / "ossicle.toml").write_text(PROJECT + roots)
    return folder


@pytest.fixture
def project(generated: Path, tmp_path: Path) -> Path:
    """A copy of it, with the times of its files."""
    return Path(shutil.copytree(generated, tmp_path / "project"))


def run(folder: Path, *overrides: str, **changed: Any) -> Done:
    return run_steps(STEPS, load_project(folder, overrides), Silent(), **changed)


def content(done: Done) -> list[str]:
    return [Shelf(place).content(place) for place in done.artefacts.values()]


def test_hits_lie_beside_the_annotations_and_blocks_are_gone(project: Path) -> None:
    done = run(project)
    own = CorpusFolder.among(done.artefacts)
    assert own.hits is not None
    assert own.hits.collect().height == len(DatasetFolder.among(done.artefacts).annotations)
    assert sorted(path.name for path in own.path.iterdir()) == [
        "annotations.parquet", "artefact.json", "health.json", "hits", "index.json", "journal.jsonl",
        "recordings.parquet",
    ]  # fmt: skip


def test_workers_do_not_change_the_content(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(manifest_index.index_manifest.__kwdefaults__, "block_bytes", 20_000)
    assert block_count(project / "events.jsonl", 20_000) > 8
    first = content(run(project, "project.workers=1"))
    for workers in (2, 4):
        done = run(project, f"project.workers={workers}", again=("corpus", "dataset"))
        assert set(done.outcomes.values()) == {"computed"}
        assert content(done) == first


def test_an_interrupted_examination_continues(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the 12 recordings of the manifest only those that were not examined before the interruption are decoded."""
    expected, examine, decoded = content(run(project)), Examiner.examine, list[str]()
    shutil.rmtree(project / "data")

    def stopping(self: Examiner, file: Path, *stated: Any) -> Any:
        if len(decoded) == 8:
            raise KeyboardInterrupt
        decoded.append(file.parent.name)
        return examine(self, file, *stated)

    monkeypatch.setattr(Examiner, "examine", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(project, "project.workers=1")
    before = list(decoded)
    decoded.clear()
    assert content(run(project, "project.workers=1")) == expected
    assert len(decoded) == 4
    assert not set(decoded) & set(before)


def test_moved_roots_and_data_leave_everything_valid(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(project)
    shutil.move(project / "audio" / "slakh", tmp_path / "elsewhere")
    monkeypatch.setenv("OSSICLE_ROOT_SLAKH", str(tmp_path / "elsewhere"))
    shutil.move(project / "data", tmp_path / "data")
    monkeypatch.setenv("OSSICLE_DATA_ROOT", str(tmp_path / "data"))
    assert set(run(project).outcomes.values()) == {"reused"}
    # Two folders of one root, of which the first holds a part, are the same root.
    (tmp_path / "part").mkdir()
    shutil.move(tmp_path / "elsewhere" / "slakh_00000", tmp_path / "part" / "slakh_00000")
    monkeypatch.setenv("OSSICLE_ROOT_SLAKH", os.pathsep.join([str(tmp_path / "part"), str(tmp_path / "elsewhere")]))
    assert set(run(project).outcomes.values()) == {"reused"}


def test_no_artefact_holds_the_path_of_a_folder(project: Path, tmp_path: Path) -> None:
    run(project)
    for file in (path for path in (project / "data").rglob("*") if path.is_file()):
        assert os.fsencode(tmp_path) not in file.read_bytes(), file


def test_a_changed_recording_or_manifest_is_indexed_again(project: Path) -> None:
    run(project)
    os.utime(project / "audio" / "enst" / "enst_00000" / "mix.wav", (1, 1))
    assert run(project).outcomes == {"corpus": "computed", "dataset": "reused"}
    lines = (project / "events.jsonl").read_text().splitlines()
    (project / "events.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    assert run(project).outcomes == {"corpus": "computed", "dataset": "computed"}


def test_chosen_recordings_are_checked_and_a_changed_table_indexes_again(ossicle: Commands, project: Path) -> None:
    shutil.rmtree(project / "audio" / "idmt")
    chosen = 'corpus.exclude=["idmt*/**"]'
    result = ossicle("check", "-p", project, "--set", chosen, "--json")
    found = {entry["what"]: entry for entry in json.loads(result.out)}
    assert "source idmt" not in found
    assert found["recordings"]["message"].startswith("11 of 12 are used")
    assert ossicle("run", "-p", project, "--until", "corpus", "--progress", "none", "--set", chosen).code == 0
    (project / "kits.csv").write_text("filename,room\nslakh_00000/mix.wav,hall\n")
    more = (chosen, 'corpus.metadata.table="kits.csv"', 'corpus.metadata.label_column=""')
    assert run(project, *more).outcomes["corpus"] == "computed"
    assert run(project, *more).outcomes["corpus"] == "reused"
    (project / "kits.csv").write_text("filename,room\nslakh_00000/mix.wav,cellar\n")
    assert run(project, *more).outcomes["corpus"] == "computed"


def test_missing_recordings_end_a_run_or_its_exit_code_is_three(ossicle: Commands, project: Path) -> None:
    shutil.rmtree(project / "audio" / "idmt")
    result = ossicle("run", "-p", project, "--until", "corpus", "--progress", "none")
    assert result.code == 2
    assert "idmt: the recordings of 1 of 1 events (100 %) are missing" in result.err
    assert "OSSICLE_ROOT_IDMT" in result.err
    result = ossicle("run", "-p", project, "--until", "corpus", "--progress", "none", "--set", "corpus.max_missing=1")
    assert result.code == 3, result.err


def test_a_bad_line_names_file_and_line(ossicle: Commands, project: Path) -> None:
    with (project / "events.jsonl").open("a") as out:
        out.write('{"event_id": 1}\n')
    words = ("run", "-p", project, "--until", "corpus", "--progress", "none")
    result = ossicle(*words)
    assert (result.code, "events.jsonl, line 601: lacks 'session_id'" in result.err) == (2, True), result.err
    result = ossicle(*words, "--set", "corpus.skip_bad=true")
    assert result.code == 3
    assert "events.jsonl, line 601" in result.err + result.out


def test_killed_at_any_point_it_continues_to_the_same_content(project: Path, tmp_path: Path) -> None:
    whole = run_dying(RUN, ("replace", "unlink"), NEVER, project, 1)
    assert whole.points is not None
    (done,) = (project / "data" / "corpus").glob("[0-9a-f]*")
    expected = Shelf(done).content(done)
    points = [0, whole.points // 4, whole.points // 2, 3 * whole.points // 4, whole.points - 1]
    for left in points:
        shutil.rmtree(project / "data")
        assert run_dying(RUN, ("replace", "unlink"), left, project, 1).killed
        run_dying(RUN, (), NEVER, project, 1)
        assert Shelf(done).content(done) == expected


@pytest.mark.slow
def test_killed_at_random_moments_it_continues_to_the_same_content(project: Path) -> None:
    script = "import sys\n" + RUN
    file = project / "run.py"
    file.write_text(script)
    command = [sys.executable, str(file), str(project), "2"]
    began = time.monotonic()
    subprocess.run(command, check=True)
    took = time.monotonic() - began
    (done,) = (project / "data" / "corpus").glob("[0-9a-f]*")
    expected = Shelf(done).content(done)
    draw = random.Random(14)
    for _ in range(20):
        shutil.rmtree(project / "data")
        process = subprocess.Popen(command, start_new_session=True)
        time.sleep(draw.uniform(0.3, 1.0) * took)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        subprocess.run(command, check=True)
        assert Shelf(done).content(done) == expected
