"""Tables of an archive: figures, curves and steps as CSV, settings without the folders of this machine."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import polars as pl

from ossicle.app.project.settings import ProjectSettings
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.run_folder import RunFolder

_INTERVAL = ("low", "high")
_MOST_COLUMN_TEXT = 2000


def settings_json(settings: ProjectSettings) -> dict[str, Any]:
    """Return all settings of a run as plain values; of an absolute path only its last part."""
    plain = _without_places(dataclasses.asdict(settings))
    assert isinstance(plain, dict)
    return plain


def figures_table(metrics: Mapping[str, Any]) -> pl.DataFrame:
    """Return every figure of ``metrics.json`` as a row of ``figure``, ``value``, ``low`` and ``high``."""
    rows = list(_figures(metrics, ""))
    return pl.DataFrame(
        rows, schema={"figure": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}, orient="row"
    )


def history_table(runs: Mapping[str, RunFolder]) -> pl.DataFrame:
    """Return the curves of every model: a row for each epoch, columns as in the logs of the trainings."""
    rows = [
        {"model": name, **{key: value for key, value in line.items() if isinstance(value, int | float | str)}}
        for name, run in runs.items()
        for line in run.epochs()
    ]
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame(schema={"model": pl.String})


def steps_table(artefacts: Mapping[str, Path], shelf: Shelf) -> pl.DataFrame:
    """Return the steps of a run: version, fingerprint, content digest and time of each."""
    manifests = {step: shelf.manifest(path) for step, path in artefacts.items()}
    rows = [
        (step, int(manifest["version"]), str(manifest["digest"]), str(manifest["content"]), str(manifest["created"]))
        for step, manifest in manifests.items()
    ]
    columns = {"step": pl.String, "version": pl.Int64, "digest": pl.String, "content": pl.String, "created": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row")


def tracking_json(runs: Mapping[str, RunFolder], settings: ProjectSettings) -> dict[str, Any]:
    """Return a summary of the trainings: how the run is named in trackers, and the first, best and last epoch."""
    models = {}
    for name, run in runs.items():
        lines = run.epochs()
        validated = [line for line in lines if isinstance(line.get("val_loss"), int | float)]
        best = min(validated, key=lambda line: line["val_loss"]) if validated else None
        models[name] = {"epochs": len(lines), "best": best, "last": lines[-1] if lines else None}
    return {"settings": _without_places(dataclasses.asdict(settings.tracking)), "models": models}


def _figures(values: Mapping[str, Any], before: str) -> Iterator[tuple[str, float | None, float | None, float | None]]:
    for key, value in values.items():
        if not isinstance(value, Mapping):
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield f"{before}{key}", float(value), None, None
        elif "value" in value:
            low, high = (_number(value.get(end)) for end in _INTERVAL)
            yield f"{before}{key}", _number(value["value"]), low, high
        else:
            yield from _figures(value, f"{before}{key}.")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _without_places(value: Any) -> Any:
    """Return plain values in which absolute paths, which say nothing on another machine, are their last part."""
    if isinstance(value, Mapping):
        return {str(key): _without_places(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_places(item) for item in value]
    if isinstance(value, str) and len(value) < _MOST_COLUMN_TEXT:
        posix, windows = PurePosixPath(value), PureWindowsPath(value)
        if posix.is_absolute() or windows.drive:
            return (posix if posix.is_absolute() else windows).name
    return value
