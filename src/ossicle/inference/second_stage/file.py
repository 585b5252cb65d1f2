"""A second stage as a file of a bundle: ``second_stage.safetensors``, plain arrays and a JSON text about them.

The text is stored under ``second_stage`` in the file's metadata: ``version``, ``kind``, ``lower_on``, ``features``
(``EventFeatureSettings``), ``columns`` (the names of the features, in order) and ``labels`` (per label its
``threshold`` and the ``offset``, ``scale`` and ``logistic`` of its trees). The arrays of label k are named
``k.feature``, ``k.threshold``, ``k.left``, ``k.right``, ``k.value``, ``k.roots``, ``k.weights``, ``k.isotonic``.
"""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.array_files.arrays import Arrays, arrays_from_bytes, arrays_to_bytes
from ossicle.audio.features.event_features import EventFeatureSettings
from ossicle.bundle.manifest import SECOND_STAGE, Bundle
from ossicle.bundle.reading import Reader, parse_object
from ossicle.core.digest import canonical_json
from ossicle.core.errors import ArtefactError, BundleError
from ossicle.inference.second_stage.candidates import CANDIDATE_FEATURES
from ossicle.inference.second_stage.stage import Calibration, LabelStage, SecondStage
from ossicle.inference.second_stage.trees import Trees

VERSION = 1
_TEXT = "second_stage"
_NODES = ("feature", "threshold", "left", "right", "value", "roots")


def second_stage_bytes(stage: SecondStage) -> bytes:
    """Return the file content of a second stage; equal stages give equal bytes."""
    arrays: dict[str, NDArray[Any]] = {}
    labels = {}
    for index, (label, label_stage) in enumerate(stage.labels.items()):
        arrays.update({f"{index}.{name}": getattr(label_stage.trees, name) for name in _NODES})
        arrays[f"{index}.weights"] = label_stage.calibration.weights
        arrays[f"{index}.isotonic"] = label_stage.calibration.isotonic
        trees = {
            "offset": label_stage.trees.offset,
            "scale": label_stage.trees.scale,
            "logistic": label_stage.trees.logistic,
        }
        labels[label] = {"place": index, "threshold": label_stage.threshold, **trees}
    about = {
        "version": VERSION,
        "kind": stage.kind,
        "lower_on": stage.lower_on,
        "features": asdict(stage.features),
        "columns": list(CANDIDATE_FEATURES),
        "labels": labels,
    }
    return arrays_to_bytes(arrays, {_TEXT: canonical_json(about)})


def read_second_stage(data: bytes, source: Path) -> SecondStage:
    """Read a second stage from the content of its file.

    Parameters
    ----------
    data
        Content of the file.
    source
        Path of the file, for messages.

    Raises
    ------
    BundleError
        If ``data`` is not a valid second stage.
    """
    try:
        arrays, text = arrays_from_bytes(data, str(source))
    except ArtefactError as error:
        raise BundleError(str(error)) from error
    about = parse_object(text.get(_TEXT, "").encode(), source)
    if "version" not in about.value:
        raise about.refuse("version", "is missing: this is not a second stage")
    version = about.integer("version", 1, 1 << 31)
    if version > VERSION:
        raise about.refuse("version", f"= {version} is newer than {VERSION}, the newest known here: update Ossicle")
    about.only({"version", "kind", "lower_on", "features", "columns", "labels"})
    columns = about.texts("columns", 10_000, 200)
    unknown = [name for name in columns if name not in CANDIDATE_FEATURES]
    if unknown:
        raise about.refuse("columns", f"asks for the feature {unknown[0]!r}, which this version does not compute")
    if columns != CANDIDATE_FEATURES:
        raise about.refuse("columns", "are not the features of this version in their order: fit it again")
    labels = about.table("labels")
    try:
        return SecondStage(
            kind=about.text("kind", 100),
            lower_on=_figure(about, "lower_on"),
            features=about.settings("features", EventFeatureSettings),
            labels={label: _label(labels, label, arrays) for label in labels.value},
        )
    except (KeyError, ValueError) as error:
        reason = f"the array {error} is missing" if isinstance(error, KeyError) else str(error)
        raise BundleError(f"{source}: cannot be used: {reason}") from error


def bundled_second_stage(bundle: Bundle) -> SecondStage | None:
    """Return the second stage of a bundle, None if it has none; raises BundleError if it does not fit the bundle."""
    if SECOND_STAGE not in bundle.files:
        return None
    source = bundle.folder / SECOND_STAGE
    stage = read_second_stage(bundle.read_bytes(SECOND_STAGE), source)
    if stage.features.rate != bundle.plan.rate:
        raise BundleError(f"{source}: reads {stage.features.rate} Hz, the bundle {bundle.plan.rate} Hz")
    strangers = [label for label in stage.labels if label not in bundle.labels]
    if strangers:
        raise BundleError(f"{source}: judges the label {strangers[0]!r}, which the bundle does not have")
    return stage


def _label(labels: Reader, label: str, arrays: Arrays) -> LabelStage:
    about = labels.table(label)
    about.only({"place", "threshold", "offset", "scale", "logistic"})
    index = about.integer("place", 0, 1 << 20)
    if not isinstance(about.value["logistic"], bool):
        raise about.refuse("logistic", "is not true or false")
    return LabelStage(
        trees=Trees(
            **{name: arrays[f"{index}.{name}"] for name in _NODES},
            n_features=len(CANDIDATE_FEATURES),
            offset=_figure(about, "offset"),
            scale=_figure(about, "scale"),
            logistic=about.value["logistic"],
        ),
        calibration=Calibration(_reals(arrays[f"{index}.weights"]), _reals(arrays[f"{index}.isotonic"])),
        threshold=_figure(about, "threshold"),
    )


def _figure(reader: Reader, key: str) -> float:
    figure = reader.value[key]
    if isinstance(figure, bool) or not isinstance(figure, int | float) or not math.isfinite(figure):
        raise reader.refuse(key, f"is not a finite number: {figure!r}")
    return float(figure)


def _reals(array: NDArray[Any]) -> NDArray[np.float64]:
    if array.dtype != np.float64:
        raise ValueError(f"an array has the dtype {array.dtype} instead of float64")
    return array
