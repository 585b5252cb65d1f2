"""What a run on Modal refuses before it costs anything: names, folders of others, changed volumes, limits."""

import json
import threading
from pathlib import Path

import pytest

from ossicle.app.jobs.modal.service import Resources
from ossicle.app.jobs.modal.target import Target, read_target, write_target
from ossicle.app.jobs.placed import RunOptions, jobs_of, lay_out
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.core.errors import ArtefactError

from ....doubles.modal_double import Call, ModalDouble
from ...conftest import Commands
from .toy_runs import run


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
