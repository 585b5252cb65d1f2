"""``ossicle archive``: one dated folder that needs neither Ossicle nor torch to be read."""

import json
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.maintenance.pins import pins, unpin
from ossicle.app.steps.promotion import archive as archiving
from ossicle.app.steps.promotion.archive import archive, archive_of_today
from ossicle.app.steps.promotion.archive_tables import settings_json
from ossicle.app.steps.promotion.finished_run import FinishedRun, finished_run
from ossicle.artefacts.files import tree_digest
from ossicle.bundle.manifest import is_plain_name
from ossicle.core.errors import UsageError

from ...conftest import Commands

# Reads an archive with the standard library alone, as somebody would in ten years.
READER = """
import csv, hashlib, json, sys, wave
from pathlib import Path

folder = Path(sys.argv[1])
listed = dict(reversed(line.split("  ", 1)) for line in (folder / "SHA256SUMS").read_text().splitlines())
files = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}
assert files == set(listed) | {"SHA256SUMS"}, files ^ set(listed)
for name, digest in listed.items():
    assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name

def table(name):
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))

sounds = table("sounds/sounds.csv")
lengths = []
for row in sounds:
    with wave.open(str(folder / "sounds" / row["sound"])) as sound:
        lengths.append(sound.getnframes() / sound.getframerate())
print(json.dumps({
    "accuracy": [row["value"] for row in table("metrics.csv") if row["figure"] == "clips.accuracy"],
    "in_json": json.loads((folder / "metrics.json").read_text())["clips"]["accuracy"]["value"],
    "steps": [row["step"] for row in table("steps.csv")],
    "labels": json.loads((folder / "dataset" / "labels.json").read_text())["labels"],
    "answers": len(table("clips/answers.csv")),
    "sounds": [(row["sound"], row["label"], row["answer"]) for row in sounds],
    "lengths": lengths,
    "criterion": json.loads((folder / "settings.json").read_text())["evaluation"]["criterion"],
    "gates": len(json.loads((folder / "health.json").read_text())["gates"]),
    "python": json.loads((folder / "environment.json").read_text())["archive"]["python"],
    "html": "<html" in (folder / "report.html").read_text() and "<html" in (folder / "health_report.html").read_text(),
    "readme": (folder / "README.md").read_text(),
    "modules": sorted(set(sys.modules) & {"ossicle", "torch", "numpy", "polars"}),
}))
"""
DAY = date(2026, 11, 29)


def read(folder: Path) -> dict[str, object]:
    command = [sys.executable, "-I", "-c", READER, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    content: dict[str, object] = json.loads(done.stdout)
    return content


def test_an_archive_is_read_without_ossicle_and_torch(project: Path, tmp_path: Path, ossicle: Commands) -> None:
    result = ossicle("archive", "-p", project, "-o", tmp_path / "out", "--sounds", "3", "--progress", "none", "--json")
    assert result.code == 0, result.err
    folder = Path(json.loads(result.out)["folder"])
    assert folder.parent == tmp_path / "out"
    assert folder.name.startswith("detector-20")
    found = read(folder)
    assert found["modules"] == []
    assert (found["accuracy"], found["in_json"]) == (["0.95"], 0.95)
    assert {"corpus", "dataset", "training", "evaluation", "bundle"} <= set(found["steps"])  # type: ignore[call-overload]
    assert found["labels"] == ["kick", "snare"]
    assert found["answers"] == 16
    assert [sound[0] for sound in found["sounds"]] == ["0001.wav", "0002.wav", "0003.wav"]  # type: ignore[attr-defined]
    assert all(sound[1] != sound[2] for sound in found["sounds"])  # type: ignore[attr-defined]
    assert all(abs(length - 0.5) < 0.01 for length in found["lengths"])  # type: ignore[attr-defined]
    assert (found["criterion"], found["html"]) == ("clips", True)
    assert str(found["readme"]).startswith(f"# detector, archived on {folder.name.removeprefix('detector-')}")
    assert tree_digest(folder / "bundle") == tree_digest(project / "bundle")


def test_an_archive_is_never_overwritten(project: Path, tmp_path: Path, ossicle: Commands) -> None:
    made = archive(load_project(project), tmp_path, Silent(), sounds=0, today=DAY)
    before = tree_digest(made.folder)
    with pytest.raises(UsageError, match=r"detector-2026-11-29 exists already, and an archive is never overwritten"):
        archive(load_project(project), tmp_path, Silent(), sounds=0, today=DAY)
    assert tree_digest(made.folder) == before


def test_no_folder_of_this_machine_is_in_an_archive(project: Path, tmp_path: Path) -> None:
    made = archive(load_project(project), tmp_path / "out", Silent(), sounds=1, today=DAY)
    held = [path for path in made.folder.rglob("*") if path.is_file() and str(tmp_path).encode() in path.read_bytes()]
    assert held == []
    of_user = load_project(project, ('roots.slakh=["/disk/private/slakh", "C:\\\\private\\\\more"]',))
    assert settings_json(of_user.settings)["roots"] == {"slakh": ["slakh", "more"]}


def test_a_missing_recording_costs_only_its_sounds(project: Path, tmp_path: Path) -> None:
    loaded = load_project(project)
    finished_run(loaded, "archive")
    file = project / "audio" / "siteA_1.wav"
    # Damaged after the run: its size and time are those that the index knows.
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    file.write_bytes(b"\0" * file.stat().st_size)
    import os

    os.utime(file, ns=times)
    made = archive(loaded, tmp_path, Silent(), sounds=16, today=DAY)
    assert made.missing == ("sounds of siteA_1.wav: the recording could not be read",)
    assert len(read(made.folder)["sounds"]) == 4  # type: ignore[arg-type]
    assert "sounds of siteA_1.wav" in (made.folder / "README.md").read_text()


def test_a_run_that_is_not_finished_is_not_archived(project: Path, tmp_path: Path, ossicle: Commands) -> None:
    result = ossicle("archive", "-p", project, "-o", tmp_path / "out", "--set", "training.seed=99")
    assert result.code == 2
    assert "training is not done under these settings" in result.err
    assert not (tmp_path / "out").exists()


def test_what_was_archived_survives_a_purge(project: Path, tmp_path: Path, ossicle: Commands) -> None:
    loaded = load_project(project)
    made_from = {str(path) for path in finished_run(loaded, "archive").artefacts.values()}
    archive(loaded, tmp_path, Silent(), sounds=0, today=DAY)
    (project / "ossicle.toml").write_text((project / "ossicle.toml").read_text() + "[dataset]\nmargin_s = 0.7\n")
    for name in ("bundle", "variants"):
        shutil.rmtree(project / name)
    for name in ("metrics.json", "report.html"):
        (project / name).unlink()
    result = ossicle("purge", "-p", project, "--dry-run", "--json")
    assert result.code == 0, result.err
    left = json.loads(result.out)
    assert not made_from & {one["path"] for one in left}
    (kept,) = pins(loaded.data_root)
    assert kept.name.startswith("archived-detector-2026-11-29-")
    ossicle("pin", kept.name, "-p", project, "--remove")
    left = json.loads(ossicle("purge", "-p", project, "--dry-run", "--json").out)
    assert made_from & {one["path"] for one in left}


def test_an_archive_of_this_run_is_known_again(project: Path, tmp_path: Path) -> None:
    loaded = load_project(project)
    assert archive_of_today(loaded, tmp_path, DAY) is None
    made = archive(loaded, tmp_path, Silent(), sounds=0, today=DAY)
    known = archive_of_today(loaded, tmp_path, DAY)
    assert known is not None
    assert (known.folder, known.n_files) == (made.folder, made.n_files)
    assert archive_of_today(loaded, tmp_path / "elsewhere", DAY) is None
    assert archive_of_today(loaded, tmp_path, DAY + timedelta(days=1)) is None
    # The same name and day, but another run.
    steps = (made.folder / "steps.csv").read_text()
    (made.folder / "steps.csv").write_text(steps.replace(finished_run(loaded, "archive").contents["dataset"], "0" * 64))
    assert archive_of_today(loaded, tmp_path, DAY) is None
    (made.folder / "steps.csv").write_text(steps)
    assert archive_of_today(loaded, tmp_path, DAY) is not None
    (kept,) = pins(loaded.data_root)
    unpin(loaded.data_root, kept.name)
    assert archive_of_today(loaded, tmp_path, DAY) is None


def test_two_runs_archived_on_one_day_keep_a_pin_each(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, wanted = load_project(project), []
    for digit in "01":
        contents = {"training": digit * 64}
        monkeypatch.setattr(FinishedRun, "contents", property(lambda run, contents=contents: contents))
        archive(loaded, tmp_path / digit, Silent(), sounds=0, today=DAY)
        wanted.append(contents)
    kept = pins(loaded.data_root)
    assert sorted((dict(pin.contents) for pin in kept), key=str) == wanted
    # Also a name that is as long as names may be.
    names = {archiving._pin("n" * 100, day, contents) for day in ("2026-11-29", "2026-11-30") for contents in wanted}
    assert len(names) == 4
    assert all(is_plain_name(one) for one in names)


def test_an_archive_is_pinned_before_it_is_there(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, seen = load_project(project), []
    monkeypatch.setattr(archiving, "keep", lambda *arguments: seen.append(list(tmp_path.glob("[!.]*/README.md"))))
    archive(loaded, tmp_path, Silent(), sounds=0)
    assert seen == [[]]
