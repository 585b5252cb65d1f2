"""A project runs on Modal by the same commands, alone and beside other places, and ends with the same results."""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from ossicle.app.jobs.folder import all_folders, json_lines
from ossicle.app.jobs.pool import PROGRAM
from ossicle.app.steps.pipeline.pipelines import PIPELINES
from ossicle.audio.wav import write_wav
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven

from ....doubles.modal_double import ModalDouble
from ....doubles.slurm_double import write_slurm
from ...conftest import Commands
from ...steps.pipeline import toy
from ...steps.pipeline.test_toy_pipeline import contents
from .toy_runs import QUIET, TEXTS, run


def test_a_mixed_run_equals_a_local_one(tmp_path: Path, project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    here = toy.write_toy(tmp_path / "here", **TEXTS)
    assert run(ossicle, here)[0] == 0
    mixed = [f"--set={one}" for one in ("modal.volume=mine", "modal.prefix=work/toy", "jobs.counts.on=modal")]
    code, _, err = run(ossicle, project, *mixed)
    assert code == 0, err
    assert contents(project) == contents(here)
    assert (project / toy.PAGE).read_bytes() == (here / toy.PAGE).read_bytes()
    # The page was made here, the counts in containers.
    assert modal.volumes
    assert set(modal.volumes) <= {"mine", "ossicle"}
    assert [name for name, _, _ in modal.spawned].count("run_task") == 4
    assert not (modal.folder / "work/toy/data/page").exists()
    assert "counts: 3 tasks in mine/work/toy: no GPU, at most 12 h each, 3 at a time" in err
    assert "dashboard: https://modal.example/apps/ap-1" in err
    # No link, no lock, no record of the transfer stays in what was brought.
    (counts,) = (project / "data" / "counts").iterdir()
    assert {path.name for path in counts.iterdir() if path.name.startswith(".")} == set()
    # Run again, everything is here, and nobody is asked.
    modal.spawned.clear()
    assert run(ossicle, project, *mixed)[0] == 0
    assert modal.spawned == []


def mixed(tmp_path: Path, ossicle: Commands, modal: ModalDouble, places: Mapping[str, str], *more: str) -> None:
    """Run a project over several places, and compare it with a run on this machine."""
    here, there = (toy.write_toy(tmp_path / name, **TEXTS) for name in ("here", "there"))
    assert run(ossicle, here)[0] == 0
    bin_ = tmp_path / "toy bin"
    bin_.mkdir()
    (bin_ / "ossicle").write_text(f'#!/bin/sh\nexec {shlex.join((sys.executable, toy.__file__))} "$@"\n')
    (bin_ / "ossicle").chmod(0o755)
    setup = json.dumps([f'PATH={shlex.quote(str(bin_))}:"$PATH"'])
    words = ["modal.volume=mine", f"jobs.setup={setup}", *(f"jobs.{step}.on={on}" for step, on in places.items())]
    code, _, err = run(ossicle, there, *(f"--set={word}" for word in words), *more)
    assert code == 0, err
    assert contents(there) == contents(here)
    assert (there / toy.PAGE).read_bytes() == (here / toy.PAGE).read_bytes()
    assert len(all_folders(there / "data", there)) == 1
    (folder,) = all_folders(there / "data", there)
    ran = {
        step: {line["runner"] for file in (folder.path / "state").glob(f"{step}*/*.jsonl") for line in json_lines(file)}
        for step in places
    }
    assert ran == {step: {on} for step, on in places.items()}
    assert bool(modal.spawned) is ("modal" in places.values())


@pytest.mark.parametrize("places", [("slurm", "modal"), pytest.param(("modal", "slurm"), marks=pytest.mark.slow)])
def test_a_run_over_several_places_equals_a_local_one(
    tmp_path: Path, modal: ModalDouble, ossicle: Commands, monkeypatch: pytest.MonkeyPatch, places: tuple[str, str]
) -> None:
    """The texts are listed on this machine; the two steps that follow need each other's artefacts."""
    monkeypatch.setitem(PIPELINES, "toy", toy.PIPELINE)
    write_slurm(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    mixed(tmp_path, ossicle, modal, dict(zip(("counts", "page"), places, strict=True)))


def test_recordings_from_elsewhere_have_the_same_digests_in_a_container(
    tmp_path: Path, modal: ModalDouble, ossicle: Commands
) -> None:
    """The container reads copies with other times and in other folders, beside the records of the transfer."""
    modal.program = PROGRAM
    for seed in range(3):
        (tmp_path / "audio").mkdir(exist_ok=True)
        sound = np.random.default_rng(seed).normal(0, 0.05, 16000).astype(np.float32)
        write_wav(tmp_path / "audio" / f"s{seed}.wav", sound, 8000)
        write_raven(
            tmp_path / "tables" / f"s{seed}.Table.1.selections.txt", [RawSelection(0.5, 1.0, "call", 500.0, 3000.0)]
        )
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "ossicle.toml").write_text(
        'base = "recipe:tapes"\n[corpus]\naudio = "../audio"\nannotations = "../tables"\n[split]\ngroup = "recording"\n'
        "[frontend]\nrate = 8000\nn_fft = 256\nhop_samples = 160\nfmax_hz = 4000.0\n"
    )
    result = ossicle("run", "-p", tmp_path / "p", "store", "--on", "modal", *QUIET)
    assert result.code == 0, result.err
    assert [name for name, _, _ in modal.spawned] == ["coordinate", "run_task"]
    rows = [line.split()[:2] for line in result.out.splitlines() if line.strip()]
    assert [row for row in rows if row[0] in ("corpus", "store")] == [["corpus", "reused"], ["store", "reused"]]


def test_what_ended_while_nobody_followed_is_brought(project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    result = ossicle("jobs", "submit", "-p", project, "--on", "modal", "--set", "jobs.poll_s=0.2")
    assert result.code == 0, result.err
    assert "cancel them: ossicle jobs cancel -p" in result.out
    coordinator = next(one.thread for one in modal.calls.values() if one.thread is not None)
    # This machine does nothing, and the run goes on to its end.
    coordinator.join(120)
    assert not coordinator.is_alive()
    result = ossicle("jobs", "pull", "-p", project)
    assert result.code == 0, result.err
    assert "copied 2 artefacts" in result.out
    assert (project / toy.PAGE).read_text() == "a: 2\nb: 1\nc: 3\n"
    assert ossicle("jobs", "status", "-p", project).code == 0
    result = ossicle("jobs", "logs", "counts/b", "-p", project)
    assert "counts b: computed" in result.out


def test_what_is_pulled_has_the_settings_of_its_jobs(project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    for name in ("b", "c"):
        (project / "texts" / f"{name}.txt").unlink()
    with (project / "ossicle.toml").open("a") as file:
        file.write("[variants.other.split]\nseed = 1\n")
    options = ("--variant", "other", "--set", "modal.prefix=try2")
    result = ossicle("jobs", "submit", "-p", project, "--on", "modal", "--until", "counts", *options)
    assert result.code == 0, result.err
    next(one.thread for one in modal.calls.values() if one.thread is not None).join(120)
    assert "copied 0 artefacts" in ossicle("jobs", "pull", "-p", project).out
    result = ossicle("jobs", "pull", "-p", project, *options)
    assert result.code == 0, result.err
    assert "copied 1 artefact\n" in result.out
    assert ossicle("jobs", "pull", "/elsewhere", "-p", project, "--variant", "other").code == 2


def test_files_of_the_user_are_found_before_anything_is_copied(
    project: Path, modal: ModalDouble, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ossicle("jobs", "submit", "-p", project, "--on", "modal", "--until", "counts").code == 0
    next(one.thread for one in modal.calls.values() if one.thread is not None).join(120)
    monkeypatch.setattr("ossicle.app.steps.pipeline.run_project.PUBLISHED_FILES", {toy.PAGE: ()})
    (project / toy.PAGE).mkdir()
    (project / toy.PAGE / "notes.md").write_text("mine")
    result = ossicle("jobs", "pull", "-p", project)
    assert (result.code, result.out) == (2, "")
    assert "would be lost: notes.md; move it out of there" in result.err
    assert not (project / "data" / "counts").exists()
