"""A checklist in a process of its own, with stand-in trainings, which SIGKILL ends in a stage.

:func:`main` runs the stages on a project without a real training, and :func:`stand_ins` stages that do next to nothing.
Both print ``NAME OUTCOME`` for each stage that ended. The moment is ``middle`` (before the first artefact of the stage
is complete, or half-way through a training) or ``end`` (all is done and nothing recorded). Without the name of a stage
nothing is killed.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ossicle.app.api.checks import stages
from ossicle.app.api.checks.checklist import Selection, run_checklist
from ossicle.app.api.checks.selftest import PASSED, CheckResult
from ossicle.app.api.checks.stages import STAGES, Stage, Work
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.maintenance import trainings
from ossicle.app.steps.promotion import archive as archiving
from ossicle.artefacts.shelf import Shelf

if TYPE_CHECKING:
    import pytest

ASKED = ("sync", "long", "promote", "archive")


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def dying(stage: Stage, moment: str, patch: "pytest.MonkeyPatch") -> Stage:
    """The stage, which does not survive its moment; what has no middle dies at its end."""

    def run(work: Work) -> str:
        if moment == "middle":
            from ....made_up import untrained

            patch.setattr(Shelf, "commit", lambda *arguments, **options: die())
            patch.setattr(untrained, "save_weights", half_way(untrained.save_weights))
        stage.run(work)
        die()
        raise AssertionError("nobody gets here")

    return replace(stage, run=run)


def half_way(save: Callable[..., Any]) -> Callable[..., None]:
    """A function that saves the weights of one model, and dies at the second."""
    saved: list[object] = []

    def run(*arguments: Any) -> None:
        if saved:
            die()
        save(*arguments)
        saved.append(arguments)

    return run


def stand_ins(folder: Path, name: str, moment: str) -> None:
    """Run stages that note in ``log`` when they begin and end."""

    def noting(stage: Stage) -> Stage:
        def run(work: Work) -> str:
            with (folder / "log").open("a") as file:
                file.write(f"{stage.name} begins\n")
                file.flush()
                if (stage.name, moment) == (name, "middle"):
                    die()
                file.write(f"{stage.name} ends\n")
            if stage.name == name:
                die()
            return f"{stage.name} is fine"

        return replace(stage, run=run, needless=lambda work: "")

    report(folder, tuple(map(noting, STAGES)))


def report(folder: Path, of: tuple[Stage, ...]) -> None:
    """Run all stages, those on request too, and print how they ended."""
    base = load_project(folder)
    projects = {one: load_project(folder, variant=one) for one in ("", *base.variants)}
    for result in run_checklist(Work(projects, Silent()), Selection(also=ASKED), of):
        print(result.name, result.outcome, flush=True)


def main(folder: Path, name: str, moment: str) -> None:
    """Run the stages with networks that nobody trained."""
    import pytest
    import torch

    from ....made_up import untrained

    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        untrained.use_untrained(patch)
        patch.setattr(stages, "selftest", lambda place: [CheckResult("decoding", PASSED, 0.1, "fine")])
        patch.setattr(trainings, "upload_all", lambda found, progress: found)
        # Midnight may pass between two of these processes.
        patch.setattr(archiving, "_named_day", lambda today: "2026-11-29")
        report(folder, tuple(dying(stage, moment, patch) if stage.name == name else stage for stage in STAGES))
