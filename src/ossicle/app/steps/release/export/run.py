"""Run the export of a project: make graphs, and measure their agreement with torch, their loss and their speed."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Done, Progress
from ossicle.app.steps.release.export.graphs import Chunks, final_graphs, predictor_of, stored_precision
from ossicle.app.steps.release.export.held_out import Judged, drawn, judge, score_fold
from ossicle.app.steps.release.export.int8_ranges import training_chunks
from ossicle.app.steps.release.export.request import ExportRequest, Row
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.audio.store.mixed import MixedStore
from ossicle.bundle.format import read_bundle
from ossicle.bundle.manifest import Bundle
from ossicle.bundle.runtimes.graph import ChunkGraph, graph_file
from ossicle.core.digest import seed_of
from ossicle.evaluation.ground_truth import Truth, read_truth
from ossicle.export.agreement import Agreement, agreement, require_agreement
from ossicle.export.onnx_graph import model_graph
from ossicle.export.speed import Speed, measure
from ossicle.inference.predictor import Predictor
from ossicle.models.networks.registry import Network, build_network
from ossicle.models.predictor import TorchPredictor, use_threads
from ossicle.models.weights import load_weights

MODEL, FOLDS = "model", "folds"
# Number of chunks to compare each graph with torch, and seconds of sound to measure its speed.
_AGREEMENT_CHUNKS = 32
_SPEED_S = 120.0


@dataclass(frozen=True)
class Exported:
    """The result of an export.

    ``graphs`` are keyed by their names in a bundle, ``agreements`` and ``speeds`` by graph (``model``, ``folds``) and
    row.
    ``judged`` holds the out-of-fold figures by row name and for ``torch``, on ``hours`` of held-out sound.
    """

    bundle: Bundle
    graphs: Mapping[str, bytes]
    agreements: Mapping[tuple[str, Row], Agreement]
    judged: Mapping[str, Judged]
    speeds: Mapping[tuple[str, Row], Speed]
    hours: float


def export(project: Project, done: Done, request: ExportRequest, progress: Progress) -> Exported:
    """Make and evaluate the requested graphs, from the artefacts of a run up to the step ``bundle``.

    Parameters
    ----------
    project
        The project.
    done
        The run with its artefacts.
    request
        The options of the export.
    progress
        Where to report how far the export is.

    Raises
    ------
    OssicleError
        An exported graph differs from the model it was made from (:mod:`ossicle.export.agreement`).
    """
    use_threads(request.threads)
    work = _Work(project, done, request)
    progress.begin("export")
    names = list(work.held_out)
    total = len(names) + 3
    with tempfile.TemporaryDirectory() as scratch:
        judged: Mapping[str, Judged] = {}
        for n_judged, name in enumerate(names):
            progress.advance(n_judged, total, f"judging {name}")
            work.score(name, Path(scratch))
        if names:
            judged = judge(project, work.judged_truth, request.rows, Path(scratch))
    progress.advance(len(names), total, "exporting")
    graphs = work.graphs()
    progress.advance(len(names) + 1, total, "comparing with torch")
    agreements = work.agreements(graphs)
    progress.advance(len(names) + 2, total, "measuring speed")
    speeds = work.speeds(graphs)
    progress.advance(total, total)
    hours = sum(work.judged_truth.durations_s.values()) / 3600 if names else 0.0
    return Exported(work.bundle, graphs, agreements, judged, speeds, hours)


class _Work:
    """The project's artefacts, loaded once."""

    def __init__(self, project: Project, done: Done, request: ExportRequest) -> None:
        self.project, self.request = project, request
        self.settings = project.settings.export
        self.training = TrainingFolder.among(done.artefacts)
        dataset = DatasetFolder.among(done.artefacts)
        self.bundle = read_bundle(BundleFolder.among(done.artefacts).bundle)
        self.plan, self.front, self.labels = self.bundle.plan, self.bundle.front, self.bundle.labels
        self.truth = read_truth(CorpusFolder.among(done.artefacts), dataset)
        self.notes = self.truth.notes_in
        # A split that divides clips holds out no recording as a whole.
        held_out = dataset.models if project.settings.split.kind.judges_recordings else {}
        self.held_out = {name: folds for name, folds in held_out.items() if name != FINAL}
        self.judged_truth: Truth = drawn(self.truth, self.settings.held_out_hours, self.settings.seed)
        self.store = MixedStore(StoreFolder.among(done.artefacts).path, project.roots)

    def network(self, name: str) -> Network:
        """Return a trained network."""
        network = build_network(self.project.settings.model, self.front, self.plan, len(self.labels)).eval()
        load_weights(network, self.training.run(name).weights)
        return network

    def fold_networks(self) -> list[Network]:
        """Return the networks that held something out, if one graph of all folds is requested."""
        return [self.network(name) for name in self.held_out] if self.request.folds else []

    def chunks(self, held_out: Sequence[int], count: int) -> Chunks:
        """Return training sound of the model that held out these folds, the same at each call."""
        ids = [key for key in self.truth.ids if self.truth.folds[key] not in held_out]

        def draw() -> Iterable[NDArray[np.float32]]:
            return training_chunks(self.store, ids, self.notes, self.plan, count, self.settings.seed)

        return draw

    def graph(self, data: bytes, source: str) -> ChunkGraph:
        """Return a graph that reads log-mel spectrograms."""
        return ChunkGraph(data, source, self.labels, self.plan, self.front)

    def score(self, name: str, folder: Path) -> None:
        """Score what the model ``name`` held out, in every row and in torch."""
        network = self.network(name)
        score_fold(
            self.project,
            self.judged_truth,
            self.held_out[name],
            self.graph(model_graph(network, self.plan, self.front), f"{name}.onnx"),
            TorchPredictor(network, self.labels, self.plan, self.front),
            self.request.rows,
            self.chunks(self.held_out[name], self.settings.calibration_chunks),
            self.request.threads,
            folder,
        )

    def graphs(self) -> Mapping[str, bytes]:
        """Return the graphs for the bundle."""
        final = final_graphs(
            self.network(FINAL),
            self.fold_networks(),
            self.plan,
            self.front,
            self.request.precisions,
            self.request.waveform,
            self.chunks((), self.settings.calibration_chunks),
        )
        # Graphs that the bundle already holds stay unchanged, and are the ones compared and measured.
        return {name: self.bundle.read_bytes(name) if name in self.bundle.files else final[name] for name in final}

    def agreements(self, graphs: Mapping[str, bytes]) -> dict[tuple[str, Row], Agreement]:
        """Compare with torch every log-mel graph in every runtime, and every waveform graph in onnxruntime."""
        # Draw other chunks than those that calibrated int8.
        seed = seed_of(self.settings.seed, "export agreement")
        sound = np.stack(
            list(training_chunks(self.store, self.truth.ids, self.notes, self.plan, _AGREEMENT_CHUNKS, seed))
        )
        expected = {MODEL: _torch(self, [self.network(FINAL)], sound)}
        if self.request.folds:
            expected[FOLDS] = _torch(self, self.fold_networks(), sound)
        agreements: dict[tuple[str, Row], Agreement] = {}
        for kind, scores in expected.items():
            for row in self.request.rows:
                file = graph_file(kind, stored_precision(row))
                predictor = predictor_of(self.graph(graphs[file], file), row, self.request.threads)
                agreements[kind, row] = agreement(scores, _flat(predictor.predict(sound)))
                require_agreement(f"{file} in {row.runtime}", row.precision, agreements[kind, row])
        for kind, reference_kind in (("waveform", MODEL), ("folds_waveform", FOLDS)):
            for row in self.request.rows:
                file = graph_file(kind, row.precision)
                if file in graphs and row.runtime == self.request.rows[0].runtime:
                    graph = ChunkGraph(graphs[file], file, self.labels, self.plan, self.front, "waveform")
                    agreements[kind, row] = agreement(
                        expected[reference_kind], _flat(predictor_of(graph, row, self.request.threads).predict(sound))
                    )
                    require_agreement(f"{file} in {row.runtime}", row.precision, agreements[kind, row])
        return agreements

    def speeds(self, graphs: Mapping[str, bytes]) -> dict[tuple[str, Row], Speed]:
        """Measure every log-mel graph in every runtime on the project's own recordings."""
        recordings, left_s = [], _SPEED_S
        for key in self.judged_truth.ids:
            if left_s > 0:
                recordings.append(self.project.roots.file(self.truth.recordings[key]))
                left_s -= self.truth.durations_s[key]
        speeds = {}
        for kind in (MODEL, FOLDS) if self.request.folds else (MODEL,):
            for row in self.request.rows:
                file = graph_file(kind, stored_precision(row))
                graph = self.graph(graphs[file], file)

                def opened(graph: ChunkGraph = graph, row: Row = row) -> Predictor:
                    return predictor_of(graph, row, self.request.threads)

                speeds[kind, row] = measure(opened, recordings, self.request.threads)
        return speeds


def _torch(work: _Work, networks: Sequence[Network], sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the networks' scores in torch, (n, n_labels)."""
    each = [_flat(TorchPredictor(network, work.labels, work.plan, work.front).predict(sound)) for network in networks]
    mean: NDArray[np.float32] = np.asarray(np.mean(each, axis=0, dtype=np.float64), dtype=np.float32)
    return mean


def _flat(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return scores.reshape(-1, scores.shape[2])
