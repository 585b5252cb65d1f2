"""The main job: what a run leaves, and what a second one reuses."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent, find_steps
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.run_project import run_project

from .conftest import STEPS, Tiny, contents, ossicle


def outcomes(project: Path, *overrides: str, until: str | None = None) -> dict[str, str]:
    return dict(run_project(load_project(project, overrides), Silent(), until).outcomes)


def computed(project: Path, *overrides: str, until: str | None = None) -> list[str]:
    return [step for step, outcome in outcomes(project, *overrides, until=until).items() if outcome == "computed"]


def test_a_run_leaves_bundle_metrics_and_page(tiny: Tiny) -> None:
    assert (tiny.folder / "report.html").stat().st_size > 0
    assert {"bundle.json", "CARD.md", "weights.safetensors", "model.onnx"} <= {
        one.name for one in tiny.bundle.iterdir()
    }
    content = json.loads(tiny.run.stdout)
    assert list(content["outcomes"]) == list(STEPS)
    assert set(content["outcomes"].values()) == {"computed"}
    assert "Traceback" not in tiny.run.stderr
    assert "Warning" not in tiny.run.stderr
    assert "deprecated" not in tiny.run.stderr


def test_metrics_have_intervals_pooled_by_label_and_by_group(tiny: Tiny) -> None:
    metrics = tiny.metrics

    def rates(of: Any) -> None:
        for name in ("f1", "precision", "recall"):
            assert set(of[name]) >= {"value", "low", "high"}

    rates(metrics["events"])
    assert set(metrics["per_label"]) == {"hum", "trill"}
    assert set(metrics["per_group"]) == {"A", "B", "C", "D"}
    for of in [*metrics["per_label"].values(), *metrics["per_group"].values()]:
        rates(of)
    events = metrics["events"]
    assert 0 < events["f1"]["low"] <= events["f1"]["value"] <= events["f1"]["high"] <= 1
    assert metrics["n_reference"] == 64
    assert metrics["few_groups"] is True


def test_a_second_run_computes_nothing(tiny: Tiny) -> None:
    before = (tiny.folder / "metrics.json").read_bytes()
    again = ossicle("run", "-p", tiny.folder, "--json")
    assert again.returncode == 0, again.stderr
    assert set(json.loads(again.stdout)["outcomes"].values()) == {"reused"}
    assert (tiny.folder / "metrics.json").read_bytes() == before


def test_a_moved_project_and_data_root_stay_valid(tiny: Tiny, tmp_path: Path) -> None:
    project = tiny.copy(tmp_path)
    assert computed(project) == []
    shutil.move(project / "data", tmp_path / "elsewhere")
    moved = load_project(project, (), tmp_path / "elsewhere")
    assert all(find_steps(detector.PIPELINE.steps, moved).values())


def test_a_changed_decision_recomputes_what_reads_it(tiny: Tiny, tmp_path: Path) -> None:
    project = tiny.copy(tmp_path)
    assert computed(project, "decision.min_length_s=[0.0, 0.08]", until="evaluation") == [
        "decision",
        "second_stage",
        "evaluation",
    ]
    after = computed(project, "decision.min_length_s=[0.0, 0.08]")
    assert set(after) <= {"noise_gate", "bundle", "report"}
    assert "report" in after
    assert computed(project) == []


def test_a_changed_interval_setting_leaves_the_decision(tiny: Tiny, tmp_path: Path) -> None:
    project = tiny.copy(tmp_path)
    assert computed(project, "evaluation.bootstrap=120", until="evaluation") == ["evaluation"]


def test_a_changed_annotation_does_not_decode_again(tiny: Tiny, tmp_path: Path) -> None:
    project = tiny.copy(tmp_path)
    table = sorted((tmp_path / "tapes" / "selections").iterdir())[0]
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-1]) + "\n")
    assert computed(project, until="store") == ["corpus", "dataset"]
    steps = find_steps(detector.PIPELINE.steps, load_project(project))
    assert steps["store"] is not None
    assert steps["training"] is None


def test_a_touched_recording_changes_nothing_downstream(tiny: Tiny, tmp_path: Path) -> None:
    project = tiny.copy(tmp_path)
    for path in (tmp_path / "tapes" / "audio").iterdir():
        os.utime(path, (1, 1))
    assert computed(project) == ["corpus"]


def test_settings_that_change_no_result_reuse_everything(tiny: Tiny) -> None:
    project = load_project(tiny.folder, ("training.parallel=1", "project.workers=1", "training.device=auto"))
    assert all(find_steps(detector.PIPELINE.steps, project).values())


def test_a_run_stops_where_it_is_told(tiny: Tiny, tmp_path: Path) -> None:
    done = ossicle("run", "-p", tiny.folder, "--data-root", tmp_path / "data", "--until", "store")
    assert done.returncode == 0, done.stderr
    assert sorted(contents(tmp_path / "data", STEPS[:3])) == sorted(STEPS[:3])
    assert not (tmp_path / "data" / "training").exists()
    wrong = ossicle("run", "-p", tiny.folder, "--until", "nothing")
    assert wrong.returncode == 2
    assert "no step is called 'nothing'; steps: corpus, dataset" in wrong.stderr


def test_named_steps_run_with_what_they_read(tiny: Tiny, tmp_path: Path) -> None:
    done = ossicle("run", "store", "-p", tiny.folder, "--data-root", tmp_path / "data", "--json")
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)["outcomes"]) == ["corpus", "store"]
    wrong = ossicle("run", "stores", "-p", tiny.folder)
    assert wrong.returncode == 2
    assert "no step is called 'stores'; steps: corpus, dataset" in wrong.stderr


def test_from_computes_anew_what_is_done(tiny: Tiny, tmp_path: Path) -> None:
    project = tiny.copy(tmp_path)
    before = contents(project / "data", ("decision", "evaluation"))
    done = ossicle("run", "-p", project, "--from", "decision", "--until", "evaluation", "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)["outcomes"]
    assert [step for step, outcome in content.items() if outcome == "computed"] == [
        "decision",
        "calibration",
        "second_stage",
        "evaluation",
    ]
    assert contents(project / "data", ("decision", "evaluation")) == before
    assert computed(project) == []
    wrong = ossicle("run", "store", "-p", project, "--from", "report")
    assert wrong.returncode == 2
    assert "report, which is not one of the steps to run: corpus, store" in wrong.stderr


def test_status_and_check_say_how_things_stand(tiny: Tiny, tmp_path: Path) -> None:
    done = ossicle("status", "-p", tiny.folder, "--json")
    assert done.returncode == 0
    assert all(json.loads(done.stdout).values())
    fresh = ossicle("status", "-p", tiny.folder, "--data-root", tmp_path / "none", "--json")
    assert set(json.loads(fresh.stdout).values()) == {None}
    assert not (tmp_path / "none").exists()
    fine = ossicle("check", "-p", tiny.folder, "--json")
    assert fine.returncode == 0, fine.stdout
    assert all(entry["ok"] for entry in json.loads(fine.stdout))
    faulty = ossicle("check", "-p", tiny.folder, "--set", "corpus.annotations=gone", "--json")
    assert faulty.returncode == 2
    assert [entry["what"] for entry in json.loads(faulty.stdout) if not entry["ok"]] == ["annotations"]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("corpus.audio=gone", "[corpus] audio: the folder"),
        ("corpus.annotations=gone", "[corpus] annotations: the folder"),
        ("corpus.audio=ossicle.toml", "[corpus] audio: the folder"),
        ("split.group=animal", "no file name yields the field 'animal'"),
        ("split.folds=5", "5 folds were requested, but grouping by 'site' gives 4 groups"),
        ("corpus.name_template=site{site", "a brace is not closed"),
        ("corpus.annotations=", "no recording has annotations"),
    ],
)
def test_a_run_that_cannot_be_ends_with_exit_code_2(tiny: Tiny, tmp_path: Path, override: str, words: str) -> None:
    done = ossicle("run", "-p", tiny.folder, "--data-root", tmp_path / "data", "--set", override, "--progress", "none")
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.startswith("ossicle: ")
    assert len(done.stderr.splitlines()) == 1


def test_one_group_cannot_be_split(tiny: Tiny, tmp_path: Path) -> None:
    overrides = ("--set", "corpus.name_template=site{tape}_{year}_*", "--set", "split.group=folder")
    done = ossicle("run", "-p", tiny.folder, "--data-root", tmp_path / "data", *overrides, "--progress", "none")
    assert done.returncode == 2
    assert "at least two groups" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_in_the_place_of_a_folder_is_said(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = ossicle("run", "-p", tiny.folder, "--data-root", tmp_path / "file")
    assert done.returncode == 2
    assert "file is a file; give a folder" in done.stderr
    below = ossicle("run", "-p", tiny.folder, "--data-root", tmp_path / "file" / "below", "--progress", "none")
    assert below.returncode in (1, 2)
    assert "Traceback" not in below.stderr
    assert len(below.stderr.splitlines()) == 1
