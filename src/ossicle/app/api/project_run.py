"""A project as an object: load it, run it up to a step, and read its results."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ossicle.app.api.bundles.loaded_bundle import LoadedBundle, load_bundle
from ossicle.app.project.load import Project as LoadedProject
from ossicle.app.project.load import load_project
from ossicle.app.project.settings import ProjectSettings
from ossicle.app.steps.engine.step import Progress, Silent, find_steps
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.files import read_json
from ossicle.artefacts.typed.results.published import BUNDLE, METRICS, PAGE
from ossicle.core.errors import GateRefused, ProjectError, UsageError
from ossicle.core.value_checks import given_path, raise_first, text_fault
from ossicle.inference.batch import PathLike


@dataclass(frozen=True, slots=True)
class ProjectRun:
    """What a run of a project made.

    Parameters
    ----------
    artefacts
        The folder of each step that was run or reused, by the step's name.
    outcomes
        ``computed`` or ``reused``, by the step's name.
    seconds
        How long each step took, by its name.
    results
        The published results, by name: such as ``metrics.json``, ``bundle`` and ``report.html``.
    refused
        Why a gate refused the bundle; None if it passed, or if the run stopped before the gate.
    lost
        Recordings that were skipped or end early: one line each, with the reason and the remedy.

    Examples
    --------
    >>> run = ProjectRun({"corpus": Path("corpus")}, {"corpus": "computed"}, {"corpus": 1.5}, {}, None, ())
    >>> run.outcomes["corpus"], run.metrics, run.report, run.lost
    ('computed', None, None, ())
    >>> run.load_bundle()
    Traceback (most recent call last):
    ossicle.core.errors.UsageError: this run made no bundle: it ended with the step corpus
    """

    artefacts: Mapping[str, Path]
    outcomes: Mapping[str, str]
    seconds: Mapping[str, float]
    results: Mapping[str, Path]
    refused: GateRefused | None
    lost: tuple[str, ...]

    @property
    def metrics(self) -> Mapping[str, Any] | None:
        """The content of ``metrics.json``; None if the run stopped before it."""
        path = self.results.get(METRICS)
        return None if path is None else read_json(path)

    @property
    def report(self) -> Path | None:
        """The report page; None if the run stopped before it."""
        return self.results.get(PAGE)

    def load_bundle(self) -> LoadedBundle:
        """Load the bundle of the run to predict with.

        Returns
        -------
        LoadedBundle
            The bundle, run by ONNX on one thread; ``ossicle.load_bundle`` has more options.

        Raises
        ------
        GateRefused
            A gate refused it; :attr:`refused` says why.
        UsageError
            The run did not come to it.
        """
        if self.refused is not None:
            raise self.refused
        if BUNDLE not in self.results:
            raise UsageError(f"this run made no bundle: it ended with the step {list(self.artefacts)[-1]}")
        return load_bundle(self.results[BUNDLE])


class Project:
    """A project, made by :meth:`load`.

    Parameters
    ----------
    loaded
        The project file as checked settings, and the places of its data on this machine.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "ossicle.toml"
    >>> _ = file.write_text('base = "recipe:tapes"\\n[corpus]\\naudio = "audio"\\nannotations = "tables"\\n')
    >>> Project.load(file).steps[-3:]
    ('noise_gate', 'bundle', 'report')
    """

    def __init__(self, loaded: LoadedProject) -> None:
        self._loaded = loaded

    @classmethod
    def load(
        cls,
        path: PathLike,
        *,
        settings: Mapping[str, Any] | None = None,
        variant: str = "",
        data_root: PathLike | None = None,
    ) -> Self:
        """Read a project file.

        Parameters
        ----------
        path
            The project file, or the folder of its ``ossicle.toml``.
        settings
            Settings that override those of the file, as ``{"training.epochs": 8}`` or ``{"training": {"epochs": 8}}``.
        variant
            A variant of the project; empty for the project itself.
        data_root
            Folder of the artefacts; None for ``$OSSICLE_DATA_ROOT``, else that of the project file.

        Returns
        -------
        Project
            The project; nothing is run.

        Raises
        ------
        ProjectError
            The file is missing, or has an unknown key or an impossible value; the message names it and the remedy.
        ValueError
            A path is empty, or an argument has an impossible type.

        Examples
        --------
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "ossicle.toml"
        >>> _ = file.write_text('base = "recipe:tapes"\\n[corpus]\\naudio = "audio"\\nannotations = "tables"\\n')
        >>> project = Project.load(file, settings={"training.epochs": 8})
        >>> project.settings.training.epochs, project.steps[:2]
        (8, ('corpus', 'dataset'))
        """
        if settings is not None and not isinstance(settings, Mapping):
            raise ValueError(f"settings = {settings!r} are not a mapping; give {{'training.epochs': 8}}")
        if not isinstance(variant, str):
            raise ValueError(f"variant = {variant!r} is not a text")
        file = given_path("path", path)
        root = None if data_root is None else given_path("data_root", data_root)
        overrides = tuple(
            f"{key}={text}" for name, value in (settings or {}).items() for key, text in _overrides(str(name), value)
        )
        return cls(load_project(file, overrides, root, variant))

    def __repr__(self) -> str:
        variant = f", variant={self._loaded.variant!r}" if self._loaded.variant else ""
        return f"Project({str(self.file)!r}{variant})"

    @property
    def file(self) -> Path:
        """The project file."""
        return self._loaded.file

    @property
    def settings(self) -> ProjectSettings:
        """All settings; those missing in the file have their defaults."""
        return self._loaded.settings

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that the project file defines."""
        return self._loaded.variants

    @property
    def data_root(self) -> Path:
        """The folder of the artefacts."""
        return self._loaded.data_root

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of its steps, in order."""
        return tuple(step.name for step in pipeline_of(self._loaded).steps_of(self._loaded))

    def status(self) -> Mapping[str, Path | None]:
        """Find what is done already under these settings; nothing is computed.

        Returns
        -------
        The folder of each step by its name; None for a step that is not done.
        """
        return find_steps(pipeline_of(self._loaded).steps_of(self._loaded), self._loaded)

    def run(
        self,
        until: str | None = None,
        *,
        steps: Sequence[str] = (),
        recompute_from: str | None = None,
        wait: bool = False,
        progress: Progress | None = None,
    ) -> ProjectRun:
        """Run the project in this process: what is done already is reused, what is missing is computed.

        Training and the steps after it need the extra ``train``. Steps that the project file places on Slurm are run
        here too.

        Parameters
        ----------
        until
            Last step to run; None for all.
        steps
            Only these steps and those that they read; none for all.
        recompute_from
            Compute this step and those after it even if they are done.
        wait
            Whether to wait for another run on the same data root.
        progress
            Where to show progress; None for nowhere.

        Returns
        -------
        ProjectRun
            The artefacts, and the published results. A gate that refuses raises nothing: see ``refused``.

        Raises
        ------
        UsageError
            There is no such step, or the inputs cannot be used.
        LockedError
            Another run writes to the same data root.
        OssicleError
            A step failed.
        ValueError
            ``steps`` is one text, or the name of a step is not a text.
        """
        if isinstance(steps, str):
            raise ValueError(f"steps = {steps!r} is one text; give a list of names, such as [{steps!r}]")
        names = (("until", until), ("recompute_from", recompute_from))
        raise_first("run", *(text_fault(name, step) for name, step in names if step is not None))
        done = run_project(
            self._loaded, progress or Silent(), until, names=tuple(steps), recompute_from=recompute_from, wait=wait
        )
        pipeline = pipeline_of(self._loaded)
        published = {name: self._loaded.results / name for name in pipeline.results(done.artefacts)}
        lost = tuple(loss.line for loss in pipeline.losses(done.artefacts))
        return ProjectRun(
            done.artefacts, done.outcomes, done.seconds, published, pipeline.refusal(done.artefacts, self._loaded), lost
        )


def _overrides(key: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield the keys and values that ``--set`` reads; the values are JSON, whose plain values are those of TOML."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _overrides(f"{key}.{name}", inner)
        return
    try:
        if value is None:
            raise TypeError
        yield key, json.dumps(value, ensure_ascii=False, default=_plain_value)
    except TypeError:
        kind = "None" if value is None else f"of the type {type(value).__name__}"
        raise ProjectError(
            f"settings: {key} is {kind}; give a number, a text, True or False, or a list, or leave it out"
        ) from None


def _plain_value(value: object) -> object:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError
