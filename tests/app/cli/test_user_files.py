"""Commands with a file of the user in the place of what they write: the file stays as it is."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from ossicle.app.cli.use.finished_recordings import JOURNAL
from ossicle.app.cli.use.output_tables import NOTES as TABLE_NOTES
from ossicle.artefacts.locks.lock import LOCK_FILE
from ossicle.artefacts.logs.noted_files import NOTES

from ...made_up.untrained import use_untrained
from ..conftest import Commands
from .test_links import COMMANDS, P, commands, finished

__all__ = ["finished"]

MINE = b"mine\n"
# What Ossicle knows its files by, and its lock.
OWN_NOTES = (NOTES, TABLE_NOTES, JOURNAL, LOCK_FILE)
# These print, or write to the data root alone.
IN_DATA_ROOT = {"train", "presets show", "stream", "similar", "score", "status", "check", "selftest", "features build"}
IN_DATA_ROOT |= {"features verify", "store build", "store verify", "dataset verify", "dataset stats", "pin", "purge"}
IN_DATA_ROOT |= {"dataset optimism", "probe", "promote", "registry list", "registry show", "registry rollback"}
IN_DATA_ROOT |= {"jobs write", "jobs submit", "jobs status", "jobs logs", "jobs cancel", "jobs task", "jobs gather"}
IN_DATA_ROOT |= {"track show", "track sync", "remote ls"}
NOT_HERE = {
    "archive": "writes a dated folder that must not exist: tests/app/steps/promotion",
    "benchmark": "its folder is replaced as a whole: tests/app/steps/benchmark/test_run.py",
    "compare-clips": "needs clips: tests/app/cli/compare/test_compare_clips.py",
    "dataset mine": "writes a round under the next free number",
    "demo": "trains; its folder is a project",
    "export": "its folder must not exist, or be a bundle: tests/bundle/test_extend.py",
    "fetch": "files are compared with their table: tests/artefacts/test_fetching.py",
    "live": "needs a microphone; refuses a recording that exists: tests/app/cli/use/test_live.py",
    "pseudo": "its folder is replaced as a whole: tests/corpus/pseudo_labels/test_rounds.py",
    "remote pull": "makes a copy equal to another",
    "remote push": "makes a copy equal to another",
    "review import": "writes a round under the next free number",
    "units export": "needs units: tests/app/cli/use/test_units_export.py",
}
# The names of files in these folders belong to the result that replaces the folder as a whole.
REPLACED = ("bundle/", "ensemble/bundle/", "clip_results/")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    **COMMANDS,
    "predict": ("{bundle}", "{p}/audio", "-o", "{p}/out", "--format", "raven,csv,json", "--cutouts", "{p}/cut"),
    "run": P,
    "train": P,
    "checklist": (*P, "--skip", "selftest"),
    "new": ("tapes", "{p}/new", "--audio", "{p}/audio", "--annotations", "{p}/tables"),
}
# They publish as `run` does, or compute for seconds.
SLOW = {"checklist", "ensemble", "units resynth"}
TRIED = sorted(COMMANDS.keys() - IN_DATA_ROOT - NOT_HERE.keys())


def test_every_command_is_tried_or_writes_to_the_data_root_alone() -> None:
    assert {*TRIED, *IN_DATA_ROOT, *NOT_HERE} == commands()


def files(project: Path) -> dict[str, int]:
    """The files beside the data root, each with what changes when it is replaced."""
    return {
        name: path.stat().st_ino
        for path in project.rglob("*")
        if path.is_file()
        and not (name := path.relative_to(project).as_posix()).startswith("data/")
        and path.name not in OWN_NOTES
        and not path.name.startswith(".ossicle")
    }


@pytest.mark.parametrize(
    "command", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in TRIED]
)
def test_a_file_of_the_user_stays(
    command: str, finished: Path, tmp_path: Path, old_bundle: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_untrained(monkeypatch)
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "project"
    places = {"p": project, "bundle": old_bundle, "other": finished}
    words = (*command.split(), *(option.format(**places) for option in OPTIONS[command]))
    shutil.copytree(finished, project)
    before = files(project)
    done = ossicle(*words)
    after = files(project)
    written = sorted(name for name, inode in after.items() if before.get(name) != inode)
    assert written, (done, "nothing was written")
    # One of each kind.
    for name in {(Path(name).suffix, Path(name).parent): name for name in written}.values():
        if name.startswith(REPLACED):
            continue
        shutil.rmtree(project)
        shutil.copytree(finished, project)
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(MINE)
        said = ossicle(*words)
        assert (project / name).read_bytes() == MINE, (name, said)
        assert said.code in (0, 1, 2, 3), (name, said)


BUNDLE_ON = ("predict", "{bundle}", "{p}/audio", "-o", "{p}/out")
REFUSED: Mapping[str, tuple[str, ...]] = {
    "predict: a format": (*BUNDLE_ON, "--format", "none"),
    "predict: recordings": ("predict", "{bundle}", "{p}/none", "-o", "{p}/out"),
    "predict: a file for cut-outs": (*BUNDLE_ON, "--cutouts", "{p}/mine.csv"),
    "predict: a folder below a file": (*BUNDLE_ON, "--cutouts", "{p}/mine.csv/cut"),
    "predict: cut-outs of the user": (*BUNDLE_ON, "--cutouts", "{p}/mine"),
    "predict: tables of the user": ("predict", "{bundle}", "{p}/audio", "-o", "{p}/mine", "--cutouts", "{p}/out"),
    "cutouts: tables": ("cutouts", "{p}/none", "{p}/audio", "-o", "{p}/out"),
    "cutouts: recordings": ("cutouts", "{p}/tables", "{p}/none", "-o", "{p}/out"),
    "embed: an encoder": ("embed", "{p}/audio", "-o", "{p}/out", "--encoder", "none"),
    "embed: recordings": ("embed", "{p}/none", "-o", "{p}/out"),
    "units encode": ("units", "encode", "{p}/none", "{p}/audio", "-o", "{p}/out"),
    "units export": ("units", "export", "-p", "{p}", "-o", "{p}/out"),
    "units vocoder": ("units", "vocoder", "{p}/vocoder", "{p}/mine.csv", "-o", "{p}/out"),
    "units resynth": ("units", "resynth", "{p}/vocoder", "{p}/none", "-o", "{p}/out"),
    "compare-clips": ("compare-clips", "{p}", "{p}", "-o", "{p}/out"),
    "convert": ("convert", "{p}/mine.csv", "--to", "csv", "-o", "{p}/out/events.csv"),
    "archive": ("archive", "-p", "{p}", "--variant", "other", "-o", "{p}/out"),
    "review export": ("review", "export", "-p", "{p}", "--select", "none", "-o", "{p}/out"),
    "dataset export": ("dataset", "export", "-p", "{p}", "--fold", "99", "-o", "{p}/out"),
    "dataset augment": ("dataset", "augment", "-p", "{p}", "--recording", "none.wav", "-o", "{p}/out/page.html"),
    "export": ("export", "-p", "{p}", "--precision", "none", "-o", "{p}/out"),
    "jobs write": ("jobs", "write", "-p", "{p}", "--on", "none", "-o", "{p}/out"),
}


@pytest.fixture(scope="module")
def with_user_files(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = Path(shutil.copytree(finished, tmp_path_factory.mktemp("refused") / "project"))
    (project / "mine").mkdir()
    for name in ("mine.csv", "mine/cutouts.csv", "mine/events.csv"):
        (project / name).write_bytes(MINE)
    return project


@pytest.mark.parametrize("case", REFUSED)
def test_a_command_that_refuses_makes_no_folder(
    case: str, with_user_files: Path, old_bundle: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_untrained(monkeypatch)
    before = sorted(path for path in with_user_files.rglob("*") if "data" not in path.parts)
    assert with_user_files / "out" not in before
    said = ossicle(*(word.format(p=with_user_files, bundle=old_bundle) for word in REFUSED[case]))
    assert said.code in (1, 2), said
    assert "ossicle: " in said.err, said
    assert sorted(path for path in with_user_files.rglob("*") if "data" not in path.parts) == before, said
