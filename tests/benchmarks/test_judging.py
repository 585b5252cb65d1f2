"""The made-up project of the benchmark of judging: its figures are those of loops over recordings and labels."""

from pathlib import Path

import pytest

from ossicle.app.steps.judge import calibration, decision, evaluation, second_stage
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.judged import EvaluationFolder
from ossicle.evaluation.figures import scores

QUICK = (
    "evaluation.bootstrap=100",
    "decision.on=[0.3, 0.5, 0.7]",
    "decision.off_ratio=[1.0]",
    "decision.min_length_s=[0.0]",
    "decision.min_gap_s=[0.0]",
)


def test_the_figures_of_a_whole_run_are_those_of_loops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench_judging import context_of, one_by_one, without_psds
    from judged_project import LABELS, Size, make_project

    monkeypatch.setattr(scores, "psds", without_psds)
    project, artefacts = make_project(tmp_path / "project", Size(40, 25, 5.0), QUICK)
    for step in (decision.STEP, calibration.STEP, second_stage.STEP, evaluation.STEP):
        context = context_of(step.name, project, artefacts)
        artefacts[step.name] = context.folder
        step.run(context)
    assert DatasetFolder(artefacts["dataset"]).labels == LABELS
    metrics = EvaluationFolder(artefacts["evaluation"]).metrics
    assert metrics["n_reference"] == 40 * 25
    # Nine tenths of the hits raise the scores, so figures are neither empty nor perfect.
    assert 0.7 < metrics["events"]["f1"]["value"] < 0.95
    one_by_one(context)
