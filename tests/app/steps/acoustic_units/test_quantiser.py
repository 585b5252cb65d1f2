"""Step ``quantiser``: what it writes, how it continues, and what it depends on."""

from functools import partial
from pathlib import Path

import polars as pl
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.acoustic_units import quantiser
from ossicle.app.steps.engine.step import Context, Silent
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.core.errors import UsageError
from ossicle.units.kmeans.state import Checkpoint
from ossicle.units.quantiser import Quantiser

from ....units.speech import SPEC, groups, shards, spoken


class Spoken(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


class Killed(BaseException):
    """Ends the step, as a signal would."""


class Killing(Spoken):
    """Kills at the given call of ``advance``."""

    def __init__(self, call: int) -> None:
        super().__init__()
        self.left = call

    def advance(self, done: int, total: int, note: str = "") -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Segments and features of 24 segments, and a project file."""
    root = tmp_path_factory.mktemp("quantiser")
    shards(root / "features", spoken(longest=200), [10, 14])
    write_segments(root / "segments")
    (root / "audio").mkdir()
    (root / "ossicle.toml").write_text(
        'base = "recipe:units"\n[corpus]\naudio = "audio"\n[quantiser]\nk = 6\nheld_out = 0.25\nsweep = [2, 12]\n'
    )
    return root


def write_segments(folder: Path, moved_s: float = 0.0, group: str = "s") -> None:
    ids = list(spoken())
    rows = {
        "segment_id": ids,
        "recording_id": [one.partition("#")[0] for one in ids],
        "number": [int(one.partition("#")[2]) for one in ids],
        "start_s": [moved_s] * len(ids),
        "end_s": [moved_s + 1] * len(ids),
        "group": [one.replace("s", group) for one in groups(ids).values()],
        "peak_db": [-3.0] * len(ids),
        "cut": ["end"] * len(ids),
    }
    SegmentsFolder(folder).write_table(pl.DataFrame(rows))


def step(folder: Path, out: Path, progress: Silent, *changes: str) -> QuantiserFolder:
    out.mkdir(exist_ok=True)
    inputs = {name: folder / name for name in ("segments", "features")}
    log, journal = RunLog(out / "run.jsonl"), Journal(out / "journal.jsonl")
    project: Project = load_project(folder, changes)
    quantiser.run(Context(project, inputs, out, progress, log, journal, {}))
    return QuantiserFolder(out)


def content(own: QuantiserFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in own.path.iterdir() if path.suffix != ".jsonl"}


def test_the_quantiser_is_written_with_a_table_of_other_numbers_of_units(folder: Path, tmp_path: Path) -> None:
    progress = Spoken()
    own = step(folder, tmp_path / "out", progress)
    result = Quantiser.read(own.path)
    assert (result.k, result.spec, result.hop_s, result.origin_s) == (6, SPEC, 0.02, 0.0125)
    assert [(row["k"], row["chosen"]) for row in own.sweep] == [(2, False), (6, True), (12, False)]
    inertia = [row["held_out_inertia"] for row in own.sweep]
    assert inertia[0] > inertia[1] > inertia[2] > 0
    assert result.fit is not None
    assert own.sweep[1]["held_out_inertia"] == result.fit.held_out_inertia
    assert len(progress.lines) == 1
    assert progress.lines[0].startswith("6 units from ")
    assert set(content(own)) == {"quantiser.json", "quantiser.npz", "sweep.json"}


def test_workers_do_not_change_a_byte(folder: Path, tmp_path: Path) -> None:
    quantiser_folder = step(folder, tmp_path / "one", Spoken(), "project.workers=1")
    two = step(folder, tmp_path / "two", Spoken(), "project.workers=3")
    assert content(quantiser_folder) == content(two)


@pytest.mark.parametrize("call", [1, 2, 3, 5, 8])
def test_a_killed_step_ends_with_the_same_bytes(
    folder: Path, tmp_path: Path, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_BLOCK_VALUES", 1), ("_LEAST_FRAMES", 1024)):
        monkeypatch.setattr(f"ossicle.units.kmeans.cluster_sums.{name}", value)
    monkeypatch.setattr("ossicle.units.kmeans.centres._SAMPLE_FRAMES", 500)
    monkeypatch.setattr(quantiser, "Checkpoint", partial(Checkpoint, every_s=0))
    straight = step(folder, tmp_path / "straight", Spoken())
    with pytest.raises(Killed):
        step(folder, tmp_path / "killed", Killing(call))
    # The first block is over before anything is written.
    assert QuantiserFolder(tmp_path / "killed").checkpoint_file.exists() == (call > 1)
    assert content(step(folder, tmp_path / "killed", Spoken())) == content(straight)


def test_only_the_groups_of_segments_are_read(folder: Path, tmp_path: Path) -> None:
    before = quantiser.groups_read(folder / "segments")
    write_segments(tmp_path / "moved", moved_s=5.0)
    write_segments(tmp_path / "other", group="t")
    assert quantiser.groups_read(tmp_path / "moved") == before
    assert quantiser.groups_read(tmp_path / "other") != before


def test_too_many_units_are_refused_with_the_setting(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\[quantiser\] k = 4000: there are only \d+ frames"):
        step(folder, tmp_path / "out", Spoken(), "quantiser.k=4000", "motifs.vocabulary=4096")
    with pytest.raises(UsageError, match=r"\[quantiser\] sweep = 4000: there are only \d+ frames.*lower sweep"):
        step(folder, tmp_path / "sweep", Spoken(), "quantiser.sweep=[4000]")
    assert not (tmp_path / "sweep" / "quantiser.npz").exists()
