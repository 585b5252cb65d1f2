"""Post-processing as a bundle's ``postprocess``: ``kernel``, ``file_prior_top`` and ``file_prior_power``."""

import dataclasses
from typing import Any

from ossicle.bundle.reading import Reader
from ossicle.core.scores.postprocess import MOST_WEIGHTS, Postprocess

_MOST_TOP = 1 << 31


def postprocess_to_json(postprocess: Postprocess) -> dict[str, Any]:
    """Return plain values, the inverse of :func:`read_postprocess`."""
    return {**dataclasses.asdict(postprocess), "kernel": list(postprocess.kernel)}


def read_postprocess(reader: Reader) -> Postprocess:
    """Return the value of ``postprocess``; raises BundleError naming the key."""
    reader.only({spec.name for spec in dataclasses.fields(Postprocess)})
    kernel, power = reader.figures("kernel", MOST_WEIGHTS), reader.figure("file_prior_power")
    top = reader.integer("file_prior_top", 0, _MOST_TOP)
    try:
        return Postprocess(kernel=kernel, file_prior_top=top, file_prior_power=power)
    except ValueError as error:
        raise reader.refuse(str(error).split(" ")[0], f"cannot be used: {error}") from error
