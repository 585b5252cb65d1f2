"""The models of a benchmark and how each reads: which bundles, under which names, in which windows.

A model is a bundle folder or a variant of the project. Its name in every table is that of the variant or the bundle.
A *reading* is a model with one window and step. A frame-wise model has one reading: the plan of its bundle.
Results are keyed by the digest of weights, settings and plan, so equal models are scored once under any names.
"""

import importlib.util
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.app.project.bundle_places import bundle_folder
from ossicle.app.project.load import Project, load_project
from ossicle.app.project.tables.benchmark import BenchmarkSettings, asked_windows
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.artefacts.typed.results.published import BUNDLE, PublishedResults
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.bundle.format import MODEL, WAVEFORM, WEIGHTS, read_bundle
from ossicle.bundle.manifest import Bundle, is_plain_name
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan, window_plan
from ossicle.core.scores.pooling import MAX
from ossicle.core.settings import digestible
from ossicle.inference.predictor import Predictor
from ossicle.models.model_kinds import kind_in

OWN = "own"
_TORCH_NEEDS = ("torch", "safetensors")


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its name; ``folder`` holds its bundle, and ``windowed`` says whether it reads sliding windows."""

    name: str
    folder: Path
    windowed: bool
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A model and how it reads: ``window`` is (window, step) in seconds, or None for the bundle's own plan."""

    model: Model
    window: tuple[float, float] | None

    @property
    def window_name(self) -> str:
        """Return the window and step as in ``0.4x0.05``, or ``own`` for the bundle's plan."""
        return OWN if self.window is None else f"{self.window[0]:g}x{self.window[1]:g}"

    @property
    def name(self) -> str:
        """Return the name used in tasks: ``MODEL:WINDOW``."""
        return f"{self.model.name}:{self.window_name}"


@dataclass(frozen=True, slots=True)
class Opened:
    """A reading with its loaded bundle: the plan, the runtime, and the digest of everything that shapes scores."""

    reading: Reading
    bundle: Bundle
    plan: ChunkPlan
    runtime: str

    @property
    def own_plan(self) -> bool:
        """Whether the model reads on the plan that its bundle's decision was fitted on."""
        return self.plan == self.bundle.plan

    @property
    def identity(self) -> str:
        """Return the digest of weights, labels, front end and model settings: what shapes scores except the plan."""
        file = WEIGHTS if self.runtime == "torch" else MODEL
        weights = self.bundle.files[file].sha256
        return digest([weights, list(self.bundle.labels), digestible(self.bundle.front), dict(self.bundle.model)])

    def predictor(self, settings: BenchmarkSettings) -> Predictor:
        """Return the predictor of the model."""
        if self.runtime == "onnx":
            from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor

            return OnnxPredictor(self.bundle, settings.threads)
        # Torch is an optional extra, and this step needs it only when it runs.
        from ossicle.models.bundled import bundled_predictor
        from ossicle.models.devices import device
        from ossicle.models.predictor import use_threads

        use_threads(settings.threads)
        weights = self.bundle.checked_path(WEIGHTS)
        return bundled_predictor(
            weights, self.bundle.model, self.bundle.labels, self.plan, self.bundle.front, device(settings.device)
        )


def benchmark_models(project: Project, overrides: Sequence[str] = ()) -> tuple[Model, ...]:
    """Return the models that ``[benchmark] models`` names, in order.

    The bundle of a variant may be missing: jobs may be written before it is trained.

    Parameters
    ----------
    project
        The project with a ``[benchmark]`` table.
    overrides
        The ``--set`` options that the project was loaded with.

    Raises
    ------
    UsageError
        A name is neither a bundle folder nor a variant.
    """
    models: list[Model] = []
    for stated in project.settings.benchmark.models or (BUNDLE,):
        folder = bundle_folder(stated, project, project.folder)
        if stated in project.variants and not folder.is_dir():
            variant = load_project(project.file, tuple(overrides), project.data_root, stated)
            models.append(Model(stated, bundle_of(variant), variant.settings.kind.windows_vary, stated))
        else:
            models.append(_bundle_model(project, stated, folder))
    return _distinct(models)


def bundle_of(project: Project) -> Path:
    """Return where the bundle of a project or variant is or will be: in its results, or refused in the data root."""
    laid_out = PublishedResults(project.results).bundle
    if laid_out.is_dir():
        return laid_out
    name = BundleFolder.step
    bundle_artefact = find_steps(chosen_steps(project, (name,)), project).get(name)
    return BundleFolder(bundle_artefact).bundle if bundle_artefact is not None else laid_out


def readings(project: Project, overrides: Sequence[str] = ()) -> tuple[Reading, ...]:
    """Return every model with every window that it reads in; ``overrides`` are the project's ``--set`` options."""
    settings = project.settings.benchmark
    return tuple(
        Reading(model, window)
        for model in benchmark_models(project, overrides)
        for window in asked_windows(settings, model.windowed)
    )


def open_reading(reading: Reading, settings: BenchmarkSettings) -> Opened:
    """Load the bundle of a reading.

    Raises
    ------
    UsageError
        The bundle is missing, or cannot read in this window.
    BundleError
        The bundle is damaged.
    """
    folder = reading.model.folder
    if not folder.is_dir():
        remedy = f"ossicle run --variant {reading.model.variant}" if reading.model.variant else "ossicle run"
        raise UsageError(
            f"[benchmark] models: {reading.model.name} has no bundle at {folder}; create it with: {remedy}"
        )
    bundle = read_bundle(folder)
    if bundle.ensemble is not None:
        raise UsageError(
            f"[benchmark] models: {reading.model.name} is an ensemble, which `ossicle ensemble` evaluates out of "
            "fold; a benchmark evaluates single models: list its members instead"
        )
    if bundle.encoder is not None:
        raise UsageError(
            f"[benchmark] models: {reading.model.name} reads the embeddings of an encoder, and a benchmark runs "
            "networks: compare it by the metrics.json of its own run, or with `ossicle predict` and `ossicle score`"
        )
    if bundle.pool != MAX:
        raise UsageError(
            f"[benchmark] models: {reading.model.name} decides once for each recording, by its {bundle.pool} score, "
            "but a benchmark evaluates events by their times: see its own metrics.json"
        )
    plan = bundle.plan
    if reading.window is not None:
        core_s = bundle.plan.core_frames * bundle.plan.hop_s
        try:
            plan = window_plan(bundle.front, *reading.window, core_s, settings.exact_step)
        except ValueError as error:
            raise UsageError(f"[benchmark] windows: {reading.model.name}: {error}") from None
    return Opened(reading, bundle, plan, _runtime(bundle, plan, settings.runtime, reading.model.name))


def _runtime(bundle: Bundle, plan: ChunkPlan, wanted_runtime: str, name: str) -> str:
    torch = all(importlib.util.find_spec(package) is not None for package in _TORCH_NEEDS)
    has_own_plan = plan == bundle.plan
    if wanted_runtime == "auto":
        wanted_runtime = "torch" if torch and WEIGHTS in bundle.files else "onnx"
    if wanted_runtime == "torch" and not (torch and WEIGHTS in bundle.files):
        lacks = f"its bundle has no {WEIGHTS}" if torch else "torch is not installed; pip install 'ossicle[train]'"
        raise UsageError(f"[benchmark] runtime = torch: {name} cannot be run: {lacks}")
    if wanted_runtime == "onnx" and not has_own_plan:
        raise UsageError(
            f"{name}: its ONNX graph reads its own windows only; other windows need torch and {WEIGHTS} "
            "(pip install 'ossicle[train]')"
        )
    if wanted_runtime == "onnx" and MODEL not in bundle.files:
        raise UsageError(f"[benchmark] runtime = onnx: the bundle of {name} has no {MODEL}, only {WAVEFORM}")
    return wanted_runtime


def _bundle_model(project: Project, stated: str, folder: Path) -> Model:
    if not folder.is_dir():
        known = f"; variants: {', '.join(project.variants)}" if project.variants else ""
        raise UsageError(
            f"{project.file}: [benchmark] models: {stated!r} is neither a bundle folder ({folder}) nor a variant{known}"
        )
    bundle = read_bundle(folder)
    return Model(bundle.name, folder, _windows_vary(bundle))


def _windows_vary(bundle: Bundle) -> bool:
    kind = kind_in(bundle.model)
    return kind is not None and kind.windows_vary


def _distinct(models: Sequence[Model]) -> tuple[Model, ...]:
    """Give models unique names: models with equal names get the name of their folder too, never a rank."""
    times = Counter(model.name.lower() for model in models)
    distinct = []
    for model in models:
        name = model.name
        if times[name.lower()] > 1:
            beside = model.folder.parent.name if model.folder.name == BUNDLE else model.folder.name
            name = f"{name}-{beside}"
        distinct.append(Model(name, model.folder, model.windowed, model.variant))
    names = Counter(model.name.lower() for model in distinct)
    for model in distinct:
        if names[model.name.lower()] > 1 or not is_plain_name(model.name):
            raise UsageError(
                f"[benchmark] models: {model.folder} would get the name {model.name!r}, which is not plain or "
                "already taken; rename its folder, or set [project] name before the bundle is made"
            )
    return tuple(distinct)
