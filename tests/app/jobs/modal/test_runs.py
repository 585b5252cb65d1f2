"""A project runs on Modal by the same commands: what is copied there and back, and what happens to faults."""

import json
import os
import shlex
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.jobs.folder import all_folders, json_lines
from ossicle.app.jobs.modal import connection, runner
from ossicle.app.jobs.modal.service import Resources
from ossicle.app.jobs.modal.target import Target, read_target, write_target
from ossicle.app.jobs.placed import RunOptions, jobs_of, lay_out
from ossicle.app.jobs.pool import PROGRAM
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.pipelines import PIPELINES
from ossicle.audio.wav import write_wav
from ossicle.core.errors import ArtefactError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven

from ....modal_double import Call, ModalDouble, wait_for
from ....slurm_double import write_slurm
from ...conftest import Commands
from ...steps.pipeline import toy
from ...steps.pipeline.test_toy_pipeline import contents

QUIET = ("--progress", "none", "--set", "jobs.poll_s=0.2")
TEXTS = {"a": "one two", "b": "three", "c": "four five six"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    monkeypatch.setitem(PIPELINES, "toy", toy.PIPELINE)
    return toy.write_toy(tmp_path / "toy", **TEXTS)


@pytest.fixture
def modal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModalDouble]:
    double = ModalDouble(tmp_path / "volume", (sys.executable, toy.__file__))
    monkeypatch.setattr(connection, "connect", double.named)
    try:
        yield double
    finally:
        double.close()


def run(ossicle: Commands, project: Path, *more: object) -> tuple[int, str, str]:
    result = ossicle("run", "-p", project, *QUIET, *more)
    return result.code, result.out, result.err


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


def test_only_the_user_places_steps_on_modal(project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    with (project / "ossicle.toml").open("a") as file:
        file.write('[jobs]\non = "modal"\n')
    code, _, err = run(ossicle, project)
    assert code == 2
    assert "costs money" in err
    assert "add --on modal" in err
    assert modal.volumes == []


@pytest.mark.parametrize("key", ["volume", "prefix", "audio_prefix"])
def test_a_project_file_names_no_data_of_the_account(project: Path, ossicle: Commands, key: str) -> None:
    with (project / "ossicle.toml").open("a") as file:
        file.write(f'[modal]\n{key} = "private"\n')
    code, _, err = run(ossicle, project, "--on", "local")
    assert code == 2
    assert f"[modal] {key}: it names data of your Modal account" in err


@pytest.mark.parametrize("value", ["../up", "/abs", "a//b", "a b", "-x", "a/../b"])
def test_names_in_the_volume_are_checked(project: Path, ossicle: Commands, value: str) -> None:
    for key in ("volume", "prefix"):
        code, _, err = run(ossicle, project, "--on", "local", "--set", f'modal.{key}="{value}"')
        assert code == 2
        assert f"[modal] {key} = " in err


def test_a_folder_of_another_project_is_refused(project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    place = modal.folder / "detector"
    place.mkdir()
    for text, words in (('{"project": "birds"}', "another project, 'birds'"), ("no JSON", "another project, None")):
        (place / "ossicle-place.json").write_text(text)
        code, _, err = run(ossicle, project, "--on", "modal")
        assert code == 2
        assert words in err
        assert "--set modal.prefix=NAME" in err
    (place / "ossicle-place.json").unlink()
    (place / "data").mkdir()
    (place / "data" / "x").write_text("")
    code, _, err = run(ossicle, project, "--on", "modal")
    assert code == 2
    assert "holds files that are no project's" in err
    assert modal.spawned == []


def test_a_second_machine_waits(project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    over = threading.Event()
    first = Call(Resources(), thread=threading.Thread(target=over.wait, args=(120,)))
    modal.calls["fc-first"] = first
    assert first.thread is not None
    first.thread.start()
    (modal.folder / "detector").mkdir()
    busy = {"plan": "0007-ab", "coordinator": "fc-first", "host": "elsewhere"}
    (modal.folder / "detector" / "busy.json").write_text(json.dumps(busy))
    try:
        code, _, err = run(ossicle, project, "--on", "modal")
    finally:
        over.set()
    assert code == 2
    assert "jobs of plan 0007-ab run in ossicle/detector already, submitted on elsewhere" in err
    first.thread.join(60)
    assert modal.spawned == []


def test_what_was_changed_in_the_volume_is_not_taken(
    tmp_path: Path, project: Path, modal: ModalDouble, ossicle: Commands
) -> None:
    for name in ("b", "c"):
        (project / "texts" / f"{name}.txt").unlink()
    result = ossicle("jobs", "submit", "-p", project, "--on", "modal", "--until", "counts")
    assert result.code == 0, result.err
    coordinator = next(one.thread for one in modal.calls.values() if one.thread is not None)
    coordinator.join(120)
    (counts,) = (modal.folder / "detector" / "data" / "counts").iterdir()
    changed, kept = counts / "a.json", (counts / "a.json").read_bytes()
    changed.write_text('{"words": 9, "refused": false}')
    result = ossicle("jobs", "pull", "-p", project)
    assert result.code == 1
    assert "files were changed, added or lost" in result.err
    changed.unlink()
    (tmp_path / "secret").write_bytes(kept)
    changed.symlink_to(tmp_path / "secret")
    result = ossicle("jobs", "pull", "-p", project)
    assert result.code == 1
    assert "is a symbolic link" in result.err
    assert not list((project / "data").glob("counts/[0-9a-f]*"))
    changed.unlink()
    changed.write_bytes(kept)
    assert ossicle("jobs", "pull", "-p", project).code == 0
    assert len(list((project / "data").glob("counts/[0-9a-f]*"))) == 1


def test_a_dry_run_starts_nothing_and_asks_nobody(project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    code, out, err = run(
        ossicle, project, "--on", "modal", "--dry-run", "--set", "jobs.time=1:00:00", "--set", "jobs.counts.gpus=2"
    )
    assert code == 0, err
    assert modal.volumes == []
    text = " ".join(out.split())
    assert "GPU L4:2, at most 1 h each, 3 at a time" in text
    assert "at most 5.0 container hours" in text
    assert "copied to the Modal volume ossicle, folder detector: at most 8 files" in text
    assert "265" in text
    assert not (project / "data" / "jobs").exists()


def test_check_says_what_is_missing(project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    result = ossicle("check", "-p", project, "--on", "modal", "--json")
    assert result.code == 0, result.err
    found = [entry["message"] for entry in json.loads(result.out) if entry["what"] == "modal"]
    assert found[:2] == [
        "counts: no GPU, at most 12 h each, 7 at a time",
        "page: no GPU, at most 12 h each, 10 at a time",
    ]
    assert found[2:] == ["the token is accepted", "volume ossicle, folder detector: is empty; the first run fills it"]
    modal.token = False
    result = ossicle("check", "-p", project, "--on", "modal")
    assert result.code == 2
    assert "no token" in result.out
    code, _, err = run(ossicle, project, "--on", "modal")
    assert code == 2
    assert "no token" in err


def test_the_record_of_a_plan_names_a_folder_of_a_volume_only(tmp_path: Path) -> None:
    record = {"format": 1, "volume": "mine", "prefix": "a/b", "plan": "0001-ab", "coordinator": "fc-1"}
    for key, value in (("plan", "0002-cd"), ("prefix", "../x"), ("volume", "a/b"), ("plan", ".."), ("format", 2)):
        (tmp_path / "modal.json").write_text(json.dumps({**record, key: value}))
        if value == "0002-cd":
            assert read_target(tmp_path) == Target("mine", "a/b", "0002-cd", "fc-1")
        else:
            with pytest.raises(ArtefactError, match="names no plan on Modal"):
                read_target(tmp_path)
    assert read_target(tmp_path / "none") is None


def test_a_coordinator_that_died_is_followed_by_another_a_few_times(
    project: Path, modal: ModalDouble, ossicle: Commands
) -> None:
    """Its containers run on: without a coordinator the next run would start all of them a second time."""
    assert run(ossicle, project, "counts", "--on", "local")[0] == 0
    modal.dying = 3
    code, _, err = run(ossicle, project, "--on", "modal")
    assert code == 0, err
    assert [name for name, _, _ in modal.spawned].count("coordinate") == 4
    assert [name for name, _, _ in modal.spawned].count("run_task") == 1


def test_coordinators_that_keep_dying_are_not_started_for_ever(
    project: Path, modal: ModalDouble, ossicle: Commands
) -> None:
    assert run(ossicle, project, "counts", "--on", "local")[0] == 0
    modal.dying = 99
    code, _, err = run(ossicle, project, "--on", "modal")
    assert code == 1
    assert "page/page: lost (no coordinator follows it; resume with `ossicle run` or `ossicle jobs submit`" in err
    assert 4 <= [name for name, _, _ in modal.spawned].count("coordinate") <= 5


def test_without_a_coordinator_it_is_said_how_to_resume_and_nothing_is_done_again(
    project: Path, modal: ModalDouble, ossicle: Commands
) -> None:
    (project / "wait-a").touch()
    there = modal.folder / "detector" / "project"
    result = ossicle("jobs", "submit", "-p", project, "--on", "modal", "--set", "jobs.poll_s=0.2")
    assert result.code == 0, result.err
    assert "if it dies, `ossicle jobs status` or `ossicle run` starts another one" in result.err
    wait_for(lambda: (there / "counted").exists() and sorted((there / "counted").read_text().split()) == ["b", "c"])
    tasks = {str(request["index"]): one for one, request in zip(modal.calls.values(), _requests(modal), strict=True)}
    # The coordinator dies, and so do those after it; a container goes on without them, and does not end.
    modal.dying = 99
    for call in modal.calls.values():
        if call.thread is not None:
            call.stopped.set()
            call.thread.join(60)
    for _ in range(5):
        result = ossicle("jobs", "status", "-p", project)
    assert result.code == 1
    assert "lost" in result.out
    assert "no coordinator follows it; resume with" in " ".join(result.out.split())
    assert [name for name, _, _ in modal.spawned].count("coordinate") == 4, modal.spawned
    orphan = tasks["0"].process
    assert orphan is not None
    assert orphan.poll() is None
    modal.dying = 0
    for place in (project, there):
        (place / "wait-a").unlink()
    code, _, err = run(ossicle, project, "--on", "modal")
    assert code == 0, err
    # The container that nobody followed was ended before another one did its work.
    assert orphan.poll() is not None
    assert sorted((there / "counted").read_text().split()) == ["a", "b", "c"]
    assert (project / toy.PAGE).read_text() == "a: 2\nb: 1\nc: 3\n"


def test_a_lost_plan_is_not_revived_beside_another_one(
    tmp_path: Path, project: Path, modal: ModalDouble, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would write the same data without locks."""
    (project / "wait-a").touch()
    place = modal.folder / "detector"
    assert ossicle("jobs", "submit", "-p", project, "--on", "modal", "--until", "counts").code == 0
    wait_for(lambda: (place / "project" / "counted").exists())
    (coordinator,) = (call for call in modal.calls.values() if call.thread is not None)
    coordinator.stopped.set()
    assert coordinator.thread is not None
    coordinator.thread.join(60)
    (place / "project" / "wait-a").unlink()
    # The other machine names its plan before it copies anything, which may take hours.
    at_copy: list[str] = []
    send = runner.send_inputs

    def send_inputs(*words: Any) -> dict[str, tuple[int, int]]:
        at_copy.append(json.loads((place / "busy.json").read_text())["plan"])
        return send(*words)

    monkeypatch.setattr(runner, "send_inputs", send_inputs)
    second = toy.write_toy(tmp_path / "second", **TEXTS)
    code, _, err = run(ossicle, second, "counts", "--on", "modal")
    assert code == 0, err
    busy = json.loads((place / "busy.json").read_text())
    spawned = len(modal.spawned)
    for _ in range(2):
        result = ossicle("jobs", "status", "-p", project)
        assert result.code == 1
        assert f"plan {busy['plan']} took over ossicle/detector, submitted on" in " ".join(result.out.split())
        assert "resume with `ossicle run`" in " ".join(result.out.split())
    assert len(modal.spawned) == spawned
    assert json.loads((place / "busy.json").read_text()) == busy
    assert at_copy == [busy["plan"]]


def test_a_job_that_needs_a_failed_one_names_it(project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    """The coordinator ended properly: to resume with the same options would not help."""
    (project / "kill-a").touch()
    result = ossicle("jobs", "submit", "-p", project, "--on", "modal", "--set", "jobs.attempts=1")
    assert result.code == 0, result.err
    next(one.thread for one in modal.calls.values() if one.thread is not None).join(120)
    result = ossicle("jobs", "status", "-p", project)
    assert result.code == 1
    out = " ".join(result.out.split())
    assert "not started: it needs counts, which failed; mend that, and resume with" in out
    assert "no coordinator follows it" not in out
    for file in (modal.folder / "detector/data/jobs").glob("*/state/counts/*.jsonl"):
        file.write_text(file.read_text().replace('"failed"', '"cancelled"'))
    out = " ".join(ossicle("jobs", "status", "-p", project).out.split())
    assert "not started: it needs counts, which was cancelled; resume with" in out
    assert [name for name, _, _ in modal.spawned].count("coordinate") == 1


def _requests(modal: ModalDouble) -> list[dict[str, object]]:
    return [{"index": "", **request} for _, request, _ in modal.spawned]


def test_a_record_of_another_person_starts_nothing(project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    """A folder that somebody sends may hold a data root with plans; the user's volume holds none of them."""
    loaded = load_project(project)
    folder, plan = lay_out(loaded, jobs_of([loaded], RunOptions(until="counts", on="modal"), Silent()))
    folder.add_number(plan.jobs[0], "1")
    write_target(folder.path, Target("mine", "detector", "0001-ab", "fc-9"))
    result = ossicle("jobs", "status", "-p", project)
    assert result.code == 1
    assert "lost" in result.out
    assert modal.volumes
    assert modal.spawned == []


def test_the_guard_against_costs_is_the_users(project: Path, ossicle: Commands) -> None:
    with (project / "ossicle.toml").open("a") as file:
        file.write("[modal]\nmax_concurrent = 11\n")
    code, _, err = run(ossicle, project, "--on", "local")
    assert code == 2
    assert "[modal] max_concurrent = 11: more than 10 containers at a time cost money" in err
    (project / "ossicle.toml").write_text((project / "ossicle.toml").read_text().replace("= 11", "= 3"))
    assert run(ossicle, project, "--on", "local", "--dry-run", "--set", "modal.max_concurrent=20")[0] == 0
