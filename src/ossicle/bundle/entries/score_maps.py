"""Conversion of maps from scores to probabilities to plain JSON values and back; the reader trusts nothing.

``{label: {"kind": "platt", "slope", "offset"}}`` or ``{label: {"kind": "isotonic", "logits", "probabilities"}}``.
"""

from collections.abc import Mapping
from typing import Any

from ossicle.bundle.reading import Reader
from ossicle.core.scores.score_map import Isotonic, Platt, ScoreMap

PLATT, ISOTONIC = "platt", "isotonic"
_MOST_KNOTS = 100_000
# Far above any slope or offset of log odds; larger ones overflow.
_MOST_FIGURE = 1e9


def maps_to_json(maps: Mapping[str, ScoreMap]) -> dict[str, Any]:
    """Return plain values of the maps of labels."""
    return {label: _plain_map(score_map) for label, score_map in maps.items()}


def read_maps(reader: Reader) -> dict[str, ScoreMap]:
    """Return the maps in an object of labels; raises BundleError naming file and key."""
    return {label: _map(reader.table(label)) for label in reader.value}


def _plain_map(score_map: ScoreMap) -> dict[str, Any]:
    if isinstance(score_map, Platt):
        return {"kind": PLATT, "slope": score_map.slope, "offset": score_map.offset}
    return {"kind": ISOTONIC, "logits": list(score_map.logits), "probabilities": list(score_map.probabilities)}


def _map(reader: Reader) -> ScoreMap:
    if "kind" not in reader.value:
        raise reader.refuse("kind", "is missing")
    kind = reader.text("kind", 20)
    try:
        if kind == PLATT:
            reader.only({"kind", "slope", "offset"})
            return Platt(_figure(reader, "slope"), _figure(reader, "offset"))
        if kind == ISOTONIC:
            reader.only({"kind", "logits", "probabilities"})
            return Isotonic(_figures(reader, "logits"), _figures(reader, "probabilities"))
    except ValueError as error:
        raise reader.refuse("kind", f"= {kind!r} has invalid numbers: {error}") from error
    raise reader.refuse("kind", f"= {kind!r} is not one of: {PLATT}, {ISOTONIC}")


def _figure(reader: Reader, key: str) -> float:
    return _checked_figure(reader, key, reader.value.get(key))


def _figures(reader: Reader, key: str) -> tuple[float, ...]:
    figures = reader.value.get(key)
    if not isinstance(figures, list) or not 0 < len(figures) <= _MOST_KNOTS:
        raise reader.refuse(key, f"is not a list of 1 to {_MOST_KNOTS} numbers")
    return tuple(_checked_figure(reader, key, figure) for figure in figures)


def _checked_figure(reader: Reader, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MOST_FIGURE:
        raise reader.refuse(
            key, f"contains {value!r}, which is not a number from -{_MOST_FIGURE:g} to {_MOST_FIGURE:g}"
        )
    return float(value)
