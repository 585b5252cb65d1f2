"""Every command on a project of links: whatever a stranger links, no file outside the project changes."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.cli.command_table import command_names, command_row
from ossicle.app.cli.loading import UnloadedCommand
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.fetching import Wanted, part_of
from ossicle.artefacts.fingerprint import Fingerprint
from ossicle.artefacts.shelf import Shelf
from ossicle.corpus.formats.cells.delimited import write_delimited

from ...made_up.quantiser import drawn_quantiser
from ...made_up.untrained import PROJECT, use_untrained, write_tapes
from ...made_up.vocoder import drawn_vocoder
from ..conftest import Commands

CALM = '[noise_gate]\noff = ["silence", "white_noise", "hum", "speech_like", "recordings"]\n'
MORE = '[variants.other.training]\nepochs = 3\n[fetch]\ntable = "files.csv"\n'

P = ("-p", "{p}", "--progress", "none")
COMMANDS: dict[str, tuple[str, ...]] = {
    "demo": ("{p}",),
    "selftest": (),
    "new": ("tapes", "{p}", "--audio", "{p}/audio", "--annotations", "{p}/tables"),
    "presets show": ("quick",),
    "fetch": P,
    "check": P[:2],
    "run": (*P, "--from", "dataset"),
    "train": P,
    "checklist": (*P, "--skip", "selftest", "--with", "promote", "--with", "archive"),
    "status": P[:2],
    "track show": P[:2],
    "track sync": P,
    "jobs write": (*P[:2], "--on", "slurm"),
    "jobs submit": (*P[:2], "--on", "slurm"),
    "jobs status": P[:2],
    "jobs logs": ("final", *P[:2]),
    "jobs cancel": P[:2],
    "jobs pull": ("{other}", *P[:2], "--with", "scores,checkpoints,logs"),
    "jobs task": ("scores", "fold0", *P),
    "jobs gather": ("scores", *P),
    "predict": ("{bundle}", "{p}/audio", "-o", "{p}/out", "--force", "--format", "raven,csv", "--cutouts", "{p}/out"),
    "stream": ("{bundle}", "{p}/audio/siteA_1.wav"),
    "live": ("{bundle}", "--sink", "jsonl:{p}/out/lines.jsonl", "--record", "{p}/out/sound.wav", "--for-s", "0.1"),
    "embed": ("{p}/audio", "-o", "{p}/out"),
    "similar": ("{p}/audio/siteA_1.wav", *P[:2]),
    "units encode": ("{p}/quantiser", "{p}/audio", "-o", "{p}/out"),
    "units export": (*P[:2], "-o", "{p}/out"),
    "units vocoder": ("{p}/vocoder", "{p}/units.txt", "-o", "{p}/out"),
    "units resynth": ("{p}/vocoder", "{p}/audio", "-o", "{p}/out", "--num-samples", "1"),
    "export": (*P[:2], "-o", "{p}/exported"),
    "cutouts": ("{p}/tables", "{p}/audio", "-o", "{p}/out"),
    "score": ("{p}/tables", "{p}/tables"),
    "benchmark": (*P, "--corpus", "{p}/audio", "--annotations", "{p}/tables", "-m", "{bundle}"),
    "leaderboard": (*P[:2], "--page", "{p}/board.html"),
    "compare-clips": ("{p}", "{p}", "-o", "{p}/out"),
    "ensemble": (*P, "--set", 'ensemble.members=[".", "other"]'),
    "probe": P,
    "promote": P[:2],
    "registry list": P[:2],
    "registry show": ("model", *P[:2]),
    "registry rollback": ("model", *P[:2]),
    "archive": (*P[:2], "-o", "{p}/out"),
    "dataset health": ("--html", "{p}/board.html", *P),
    "dataset verify": ("{p}/events.jsonl",),
    "dataset stats": P,
    "dataset optimism": P,
    "dataset export": ("-o", "{p}/out", *P),
    "dataset augment": ("-o", "{p}/board.html", *P),
    "dataset mine": P[:2],
    "features build": P,
    "features verify": P[:2],
    "store build": P,
    "store verify": P,
    "remote push": ("{p}/tables", "file:{p}/out", "--progress", "none"),
    "remote pull": ("file:{other}/tables", "{p}/out", "--progress", "none"),
    "remote ls": ("file:{p}",),
    "convert": ("{p}/tables", "--to", "csv", "-o", "{p}/out/events.csv"),
    "review export": ("-o", "{p}/out", *P),
    "review import": ("{p}/out", "--by", "me", *P),
    "pseudo": P,
    "pin": ("kept", *P[:2], "--force"),
    "purge": (*P[:2], "--yes"),
}


def commands() -> set[str]:
    """The names of all commands, those of groups with the group's name in front."""
    result: set[str] = set()
    for name in command_names():
        command: Any = UnloadedCommand(name).load()
        below = getattr(command, "commands", {})
        result |= {f"{name} {one}" for one in below} if below else {name}
    return result


def test_every_command_is_tried() -> None:
    assert commands() == COMMANDS.keys()
    assert all(command_row(name.split()[0]) for name in COMMANDS)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("mine") / "project"
    write_tapes(place, ("siteA_1", "siteB_1"))
    body = b"RIFF"
    (place / "served.wav").write_bytes(body)
    row = (f"file://{place}/served.wav", str(len(body)), hashlib.sha256(body).hexdigest(), "fetched.wav")
    write_delimited(place / "files.csv", ("address", "size", "sha256", "path"), [row])
    drawn_quantiser(place / "quantiser")
    drawn_vocoder(place / "vocoder")
    (place / "units.txt").write_text("1 1 2\n")
    (place / "ossicle.toml").write_text(PROJECT + CALM + MORE)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OSSICLE_DATA_ROOT", raising=False)
        use_untrained(patch)
        run_project(load_project(place), Silent())
    unused_artefact(place / "data", "training")
    return place


UNUSED = {step: Fingerprint(step, 1, {}, {}, {}) for step in ("scores", "training")}


def unused_artefact(data_root: Path, step: str) -> None:
    """Make an artefact of settings that no project has."""
    shelf = Shelf(data_root)
    (shelf.begin(UNUSED[step]) / "file").write_text("precious")
    shelf.commit(UNUSED[step])


def link_data_root(project: Path, victim: Path) -> None:
    shutil.rmtree(project / "data")
    os.symlink(victim / "data", project / "data")


def link_artefacts(project: Path, victim: Path) -> None:
    """Every second step is a link, and in the others every artefact."""
    steps = sorted(path for path in (project / "data").iterdir() if path.is_dir())
    for place in (*steps[::2], *(path for step in steps[1::2] for path in sorted(step.iterdir()))):
        shutil.rmtree(place)
        os.symlink(victim / place.relative_to(project), place)


def link_hidden_names(project: Path, victim: Path) -> None:
    """Locks, journals, run logs and unfinished files, in the data root and beside the recordings."""
    row = (project / "files.csv").read_text().splitlines()[1].split(",")
    part = part_of(Wanted(row[0], row[3], int(row[1]), row[2]), project / "audio")
    (project / "data" / "pins").mkdir()
    names = (
        "data/.ossicle.lock",
        "data/run.jsonl",
        "data/pins/kept.json",
        "data/checklist.jsonl",
        "data/probes.jsonl",
        "data/registry",
        "audio/.ossicle-fetch.jsonl",
        "audio/.ossicle-lock-fetch",
    )
    places = [project / name for name in names] + [part, project / "audio" / "fetched.wav"]
    for work in (project / "data").glob("*"):
        if work.is_dir():
            places += [work / ".work-0123456789abcdef", work / ".ossicle-part-pull-x"]
    for number, place in enumerate(places):
        place.unlink(missing_ok=True)
        os.symlink(victim / f"precious{number}", place)


def link_results(project: Path, victim: Path) -> None:
    """What a command publishes in the project folder, or writes where it is asked to."""
    names = ("variants", "benchmark", "ensemble", "reviews", "negatives", "pseudo", "out", "exported", "jobs", "tapes")
    for name in names:
        os.symlink(victim / "folder", project / name)
    for number, name in enumerate(("bundle", "metrics.json", "report.html", "board.html", "tapes.json")):
        place = project / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        os.symlink(victim / f"precious{number}", place)
        os.symlink(victim / f"precious{number}", project / f".ossicle-part-pull-{name}")


def link_outputs(project: Path, victim: Path) -> None:
    """The files that a command writes in its output folder."""
    names = (".ossicle.lock", "predictions.json", "predictions.journal.jsonl", "events.csv", "cutouts.csv", "train.csv")
    names += ("siteA_1.Table.1.selections.txt", "siteB_1.Table.1.selections.txt", "variant_index.json", "export.json")
    names += (
        ".ossicle-sent",
        "predictions.tables.jsonl",
        "siteA_1.txt",
        "encoder.json",
        "siteA_1.parquet",
        "siteB_1.parquet",
        "lines.jsonl",
        "sound.wav",
    )
    (project / "out").mkdir()
    for number, name in enumerate(names):
        os.symlink(victim / f"precious{number}", project / "out" / name)


PUBLISH = ("run", "train", "jobs pull", "benchmark", "leaderboard", "ensemble", "demo", "export")
PUBLISH += ("dataset export", "dataset augment", "dataset mine", "convert", "review export", "review import", "pseudo")
TO_FOLDER = tuple(name for name, options in COMMANDS.items() if any("{p}/out" in one for one in options))
ON_PROJECT = tuple(name for name, options in COMMANDS.items() if "-p" in options)
PLANS: dict[str, tuple[Callable[[Path, Path], None], tuple[str, ...]]] = {
    "data root": (link_data_root, ON_PROJECT),
    "artefacts": (link_artefacts, ON_PROJECT),
    "hidden names": (link_hidden_names, ON_PROJECT),
    "results": (link_results, PUBLISH),
    "outputs": (link_outputs, TO_FOLDER),
}


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
        if not path.is_symlink()
    }


@pytest.mark.parametrize("plan", PLANS)
def test_no_command_changes_a_file_through_a_link(
    plan: str, finished: Path, tmp_path: Path, old_bundle: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_untrained(monkeypatch)
    monkeypatch.chdir(tmp_path)
    # Files of the project's owner, of which a stranger's project links some.
    victim = Path(shutil.copytree(finished, tmp_path / "victim"))
    # It holds an artefact that a purge would remove, and lacks one that a pull would bring.
    unused_artefact(victim / "data", "scores")
    shutil.rmtree(Shelf(victim / "data").find(UNUSED["training"]) or victim)
    (victim / "folder").mkdir()
    for number in range(16):
        (victim / f"precious{number}").write_text(f'{{"unit": "a", "record": {{}}}}\nprecious {number}')
    before = content(victim)
    link, names = PLANS[plan]
    for name in names:
        project = tmp_path / "project"
        shutil.copytree(finished, project)
        link(project, victim)
        places = {"p": project, "bundle": old_bundle, "other": finished}
        result = ossicle(*name.split(), *(one.format(**places) for one in COMMANDS[name]))
        assert result.code in (0, 1, 2, 3, 4), (name, result)
        assert "Usage:" not in result.err, (name, result)
        assert content(victim) == before, (name, result)
        shutil.rmtree(project)
        assert content(victim) == before, name
