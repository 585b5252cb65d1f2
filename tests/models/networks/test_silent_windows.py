"""A window in which nothing sounds has no label, whichever labels a network must choose from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from ossicle.app.project.load import load_project
from ossicle.app.project.settings import ProjectSettings
from ossicle.export.onnx_graph import model_graph, waveform_graph
from ossicle.export.parity import check_parity
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.models.networks.registry import build_network
from ossicle.models.networks.score_kinds import scores_of
from ossicle.models.predictor import TorchPredictor
from ossicle.models.settings import LEAST_DB

LABELS = ("kick", "snare", "hat")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ProjectSettings:
    folder = tmp_path_factory.mktemp("hits")
    (folder / "audio").mkdir()
    (folder / "ossicle.toml").write_text(
        'base = "recipe:drums"\n[corpus]\naudio = "audio"\n[model.window]\nsilence_db = -110.0\n'
    )
    return load_project(folder).settings


def windows(settings: ProjectSettings) -> dict[str, np.ndarray]:
    """Windows of 0.4 s with and without a hit."""
    n, rng = settings.plan.chunk_samples, np.random.default_rng(0)
    hit = rng.standard_normal(n) * np.exp(-np.arange(n) / 2000)
    hit /= np.abs(hit).max()
    late = np.r_[np.zeros(n - 2000), hit[:2000]]
    dither = np.round(rng.uniform(-0.5, 0.5, n) + rng.uniform(-0.5, 0.5, n)) / 32768
    found = {
        "hit": hit, "faint hit": 1e-3 * hit, "late hit": late, "short hit": np.r_[hit[:882], np.zeros(n - 882)],
        "silence": np.zeros(n), "dither": dither, "offset": np.full(n, 1 / 32768),
    }  # fmt: skip
    return {name: wave.astype(np.float32) for name, wave in found.items()}


SILENT = {"silence", "dither", "offset"}


def network(settings: ProjectSettings, **values: object) -> torch.nn.Module:
    torch.manual_seed(0)
    model = replace(settings.model, window=replace(settings.model.window, **values))
    return build_network(model, settings.frontend, settings.plan, len(LABELS)).eval()


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_silence_has_no_label_and_hits_keep_their_scores(settings: ProjectSettings, kind: str) -> None:
    made, given = network(settings, scores=kind), windows(settings)
    waves = np.stack(list(given.values()))
    found = TorchPredictor(made, LABELS, settings.plan, settings.frontend).predict(waves)[:, 0]
    with torch.inference_mode():
        spectra = ChunkLogMel(LogMel(settings.frontend), settings.plan, settings.frontend)(torch.from_numpy(waves))
        usual = scores_of(made(spectra), kind == "softmax")[:, 0].numpy()
    for name, scores, before in zip(given, found, usual, strict=True):
        expected = np.zeros(3) if name in SILENT else before
        assert np.array_equal(scores, expected), name
        assert before.min() > 0.01, name


def test_without_the_setting_silence_keeps_its_scores(settings: ProjectSettings) -> None:
    made = network(settings, silence_db=LEAST_DB)
    quiet = windows(settings)["silence"][None]
    assert TorchPredictor(made, LABELS, settings.plan, settings.frontend).predict(quiet).sum() == pytest.approx(1)


def test_both_graphs_know_silence(settings: ProjectSettings, tmp_path: Path) -> None:
    made, given = network(settings), windows(settings)
    graphs = {
        "model.onnx": model_graph(made, settings.plan, settings.frontend),
        "waveform.onnx": waveform_graph(made, settings.plan, settings.frontend),
    }
    hit_and_silence = np.concatenate([given["hit"], given["silence"], given["dither"], given["hit"]])
    check_parity(made, graphs, settings.plan, settings.frontend, hit_and_silence)
    session = onnxruntime.InferenceSession(graphs["waveform.onnx"], providers=["CPUExecutionProvider"])
    scores = session.run(["scores"], {"waveform": np.stack(list(given.values()))})[0][:, 0]
    sums = dict(zip(given, scores.sum(axis=1), strict=True))
    assert {name for name, total in sums.items() if total == 0} == SILENT
    assert [total for total in sums.values() if total] == pytest.approx([1.0] * 4, abs=1e-5)
