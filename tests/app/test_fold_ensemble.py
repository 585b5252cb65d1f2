"""The fold models of a project as one predictor."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ossicle.app.project.load import Project
from ossicle.app.steps import corpus, dataset
from ossicle.app.steps.fold_ensemble import fold_ensemble
from ossicle.app.steps.step import Silent, run_steps
from ossicle.app.steps.training import labels_of, models_of
from ossicle.core.errors import UsageError
from ossicle.inference.scorer import Scorer
from ossicle.models.predictor import load_predictor
from ossicle.models.registry import build_network
from ossicle.models.weights import save_weights
from ossicle.training.runfolder import RunFolder

from ..made_up import write_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return write_project(tmp_path_factory.mktemp("folds"), ("siteA_1", "siteB_1", "siteC_1"))


@pytest.fixture(scope="module")
def made(project: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A training that nobody did, with a network of its own for each fold, and its dataset."""
    data, training = (
        dict(run_steps((corpus.STEP, dataset.STEP), project, Silent()).artefacts),
        (tmp_path_factory.mktemp("training")),
    )
    settings = project.settings
    for number, name in enumerate(models_of(data["dataset"])):
        torch.manual_seed(number)
        network = build_network(settings.model, settings.frontend, settings.plan, len(labels_of(data["dataset"])))
        save_weights(network, RunFolder(training / name).weights)
    return training, data["dataset"]


def test_it_is_the_mean_of_the_fold_models(project: Project, made: tuple[Path, Path]) -> None:
    training, data = made
    settings, held_out = project.settings, {name: of for name, of in models_of(data).items() if of}
    assert len(held_out) == 3
    samples = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    ensemble = fold_ensemble(training, data, settings)
    each = {
        name: load_predictor(
            RunFolder(training / name).weights, settings.model, ("call",), settings.plan, settings.frontend
        )
        for name in held_out
    }

    def scores(predictor: object) -> np.ndarray:
        scorer = Scorer(predictor)  # type: ignore[arg-type]
        return np.concatenate([scorer.feed(samples), scorer.finish()])

    expected = np.mean([scores(one) for one in each.values()], axis=0)
    np.testing.assert_allclose(scores(ensemble), expected, atol=1e-6)
    for name, folds in held_out.items():
        np.testing.assert_allclose(
            scores(fold_ensemble(training, data, settings, folds[0])), scores(each[name]), atol=1e-7
        )
    with pytest.raises(UsageError, match="no model holds out fold 9"):
        fold_ensemble(training, data, settings, 9)
