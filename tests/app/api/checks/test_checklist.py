"""Stages of the checklist: what is chosen, recorded and stopped."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ossicle.app.api.checks.checklist import (
    DONE,
    DONE_BEFORE,
    FAILED,
    NEEDLESS,
    NOT_CHOSEN,
    ON_REQUEST,
    REFUSED,
    TO_DO,
    Selection,
    StageResult,
    chosen_stages,
    planned,
    run_checklist,
)
from ossicle.app.api.checks.stages import STAGES, Stage, Work, headline
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.maintenance import trainings as maintained
from ossicle.core.errors import GateRefused, LockedError, OssicleError, UsageError

PROJECT = 'base = "recipe:tapes"\n[corpus]\naudio = "audio"\nname_template = ""\n[split]\ngroup = "recording"\n'
NAMES = ("health", "train", "evaluate", "promote")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audio").mkdir()
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


def work(folder: Path, *overrides: str, data_root: Path | None = None) -> Work:
    return Work({"": load_project(folder, overrides, data_root)}, Silent())


def stages(runs: list[str], **changed: Callable[[Work], str]) -> tuple[Stage, ...]:
    """Four stages that note their names in ``runs``, some replaced."""

    def noting(name: str) -> Callable[[Work], str]:
        def run(work: Work) -> str:
            runs.append(name)
            return f"{name} is fine"

        return run

    return tuple(
        Stage(
            name,
            f"Do {name}.",
            changed.get(name, noting(name)),
            on_request=name == "promote",
            judges=name == "evaluate",
        )
        for name in NAMES
    )


def run(folder: Path, of: tuple[Stage, ...], *overrides: str, **selection: object) -> list[tuple[str, str]]:
    stage_results = run_checklist(work(folder, *overrides), Selection(**selection), of)  # type: ignore[arg-type]
    return [(stage_result.name, stage_result.outcome) for stage_result in stage_results]


def refusing(work: Work) -> str:
    raise GateRefused("the gate refused:\n  recall of crash 0.1, less than 0.25")


def test_stages_run_in_order_once_and_again_when_named(folder: Path) -> None:
    runs: list[str] = []
    of = stages(runs)
    assert run(folder, of) == [(name, DONE) for name in NAMES[:3]]
    assert run(folder, of) == [(name, DONE_BEFORE) for name in NAMES[:3]]
    assert runs == list(NAMES[:3])
    assert run(folder, of, first="train") == [("train", DONE), ("evaluate", DONE)]
    assert run(folder, of, only=("train",)) == [("train", DONE)]
    assert run(folder, of, skip=("train",)) == [("health", DONE_BEFORE), ("evaluate", DONE_BEFORE)]
    assert run(folder, of, also=("promote",))[-1] == ("promote", DONE)
    # What runs on request runs at each request.
    assert run(folder, of, also=("promote",))[-1] == ("promote", DONE)


def test_changed_settings_or_files_run_stages_again_but_not_moved_data(folder: Path, tmp_path: Path) -> None:
    runs: list[str] = []
    of = stages(runs)
    run(folder, of)
    assert run(folder, of, "training.epochs=3") == [(name, DONE) for name in NAMES[:3]]
    assert run(folder, of, "health.class_min=3") == [(name, DONE) for name in NAMES[:3]]
    run(folder, of)
    (folder / "audio" / "new.wav").write_bytes(b"")
    assert run(folder, of) == [(name, DONE) for name in NAMES[:3]]
    (folder / "data").rename(tmp_path / "elsewhere")
    moved = work(folder, "project.workers=7", "training.device=cpu", data_root=tmp_path / "elsewhere")
    assert {stage_result.outcome for stage_result in run_checklist(moved, Selection(), of)} == {DONE_BEFORE}


def test_the_first_gate_that_refuses_stops_it_and_a_new_run_continues_there(folder: Path) -> None:
    runs: list[str] = []
    stage_results: list[StageResult] = []
    with pytest.raises(GateRefused, match="recall of crash") as refusal:
        stage_results.extend(run_checklist(work(folder), Selection(), stages(runs, train=refusing)))
    assert [(stage_result.name, stage_result.outcome) for stage_result in stage_results] == [
        ("health", DONE),
        ("train", REFUSED),
    ]
    assert stage_results[-1].message == "the gate refused"
    assert "stopped at the stage train" in str(refusal.value)
    assert "ossicle checklist --from evaluate" in str(refusal.value)
    assert refusal.value.exit_code == 4
    assert runs == ["health"]
    assert run(folder, stages(runs)) == [("health", DONE_BEFORE), ("train", DONE), ("evaluate", DONE)]


def test_a_stage_that_fails_or_is_interrupted_is_not_done(folder: Path) -> None:
    def failing(work: Work) -> str:
        raise OssicleError("no space left")

    def interrupted(work: Work) -> str:
        raise KeyboardInterrupt

    runs: list[str] = []
    stage_results: list[StageResult] = []
    with pytest.raises(OssicleError, match="no space left"):
        stage_results.extend(run_checklist(work(folder), Selection(), stages(runs, train=failing)))
    assert stage_results[-1].outcome == FAILED
    with pytest.raises(KeyboardInterrupt):
        run(folder, stages(runs, train=interrupted))
    assert run(folder, stages(runs))[:2] == [("health", DONE_BEFORE), ("train", DONE)]


def test_what_is_not_needed_is_passed_over_and_a_plan_changes_nothing(folder: Path) -> None:
    runs: list[str] = []
    of = tuple(
        replace(stage, needless=lambda work: "there is no variant") if stage.name == "train" else stage
        for stage in stages(runs)
    )

    def plan(**selection: object) -> list[str]:
        return [stage_result.outcome for stage_result in planned(work(folder), Selection(**selection), of)]  # type: ignore[arg-type]

    assert plan() == [TO_DO, NEEDLESS, TO_DO, ON_REQUEST]
    assert plan(only=("health",)) == [TO_DO, NOT_CHOSEN, NOT_CHOSEN, ON_REQUEST]
    assert runs == []
    assert run(folder, of) == [("health", DONE), ("train", NEEDLESS), ("evaluate", DONE)]
    assert plan(also=("promote",)) == [DONE_BEFORE, NEEDLESS, DONE_BEFORE, TO_DO]


def test_two_checklists_at_a_time_are_refused(folder: Path) -> None:
    of = stages([])
    first = run_checklist(work(folder), Selection(), of)
    next(first)
    with pytest.raises(LockedError):
        run(folder, of)
    first.close()


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"first": "evalute"}, "--from evalute: there is no such stage; did you mean 'evaluate'"),
        ({"only": ("prob",)}, "--only prob"),
        ({"skip": ("x",)}, "--skip x"),
        ({"also": ("long", "y")}, "--with y"),
        ({"only": ("health",), "skip": ("health",)}, "leave no stage"),
    ],
)
def test_stages_that_do_not_exist_are_named(selection: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        chosen_stages(Selection(**selection))  # type: ignore[arg-type]


def test_long_and_promotion_run_on_request_only() -> None:
    names = [stage.name for stage in chosen_stages(Selection())]
    assert "long" not in names
    assert not {"sync", "promote", "archive"} & set(names)
    assert names.index("health") < names.index("selftest") < names.index("train") < names.index("analyse")
    assert [stage.name for stage in chosen_stages(Selection(also=("sync", "long", "promote", "archive")))] == [
        stage.name for stage in STAGES
    ]


def test_the_headline_names_its_figures() -> None:
    assert headline({"events": {"f1": {"value": 0.9}}}) == "events.f1 0.900"
    assert headline({}) == "see metrics.json"


def test_figures_are_uploaded_on_request_of_projects_that_track_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []

    def upload(found: list[object], progress: object) -> list[object]:
        sent.append(found)
        return found

    monkeypatch.setattr(maintained, "upload_all", upload)
    monkeypatch.setattr(maintained, "trainings", lambda projects: iter([project.variant for project in projects]))
    (only,) = run_checklist(work(folder), Selection(only=("sync",)))
    assert (only.outcome, sent) == (NEEDLESS, [])
    (only,) = run_checklist(work(folder, 'tracking.to=["wandb"]'), Selection(only=("sync",)))
    assert (only.outcome, only.message, sent) == (DONE, "1 training uploaded", [[""]])


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ((), TO_DO),
        (("split.strategy=random",), NEEDLESS),
    ],
)
def test_a_split_that_evaluates_nothing_needs_no_evaluation(folder: Path, more: tuple[str, ...], outcome: str) -> None:
    (evaluation,) = [
        stage_result for stage_result in planned(work(folder, *more), Selection()) if stage_result.name == "evaluate"
    ]
    assert evaluation.outcome == outcome


def test_projects_for_states_have_the_same_stages(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "ossicle.toml").write_text(
        'base = "recipe:appliances"\n[corpus]\naudio = "audio"\nlabel_fields = {ac = "on"}\n'
    )
    result = {stage_result.name: stage_result.outcome for stage_result in planned(work(tmp_path), Selection())}
    assert (result["features"], result["train"], result["evaluate"]) == (TO_DO, TO_DO, TO_DO)
