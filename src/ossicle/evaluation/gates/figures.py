"""Figures of ``metrics.json`` by their paths, such as ``clips.f1.kick``; labels may contain dots."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ossicle.core.text.suggestion import did_you_mean

VALUE = "value"


@dataclass(frozen=True, slots=True)
class Found:
    """A figure: its value, or why there is none."""

    value: float | None
    missing: str = ""


def figure_at(metrics: Mapping[str, Any], path: str) -> Found:
    """Return the figure at a path.

    Parameters
    ----------
    metrics
        The content of ``metrics.json``: objects down to ``{"value", "low", "high"}`` or a number.
    path
        The keys, joined by dots.

    Returns
    -------
    Found
        The value; without one, in words, which part of the path does not exist, or that the figure is undefined.

    Examples
    --------
    >>> metrics = {"clips": {"accuracy": {"value": 0.7}, "f1": {"kick": {"value": None}}}}
    >>> figure_at(metrics, "clips.accuracy").value
    0.7
    >>> figure_at(metrics, "clips.f1.kick").missing
    'is undefined: the held-out data cannot give this figure'
    >>> figure_at(metrics, "clips.f1.crash").missing
    "there is no 'crash' in clips.f1; choose one of: kick"
    """
    keys = path.split(".")
    inside: Any = metrics
    done: list[str] = []
    while keys:
        if not isinstance(inside, Mapping):
            return Found(None, f"{'.'.join(done)} is no table of figures")
        # A label may contain dots, so that the longest key that exists is the right one.
        sizes = (n for n in range(len(keys), 0, -1) if ".".join(keys[:n]) in inside)
        if (size := next(sizes, 0)) == 0:
            names = [str(name) for name, value in inside.items() if isinstance(value, Mapping | int | float)]
            where_looked = f"in {'.'.join(done)}" if done else "among the figures of the run"
            return Found(
                None,
                "; ".join(filter(None, (f"there is no {'.'.join(keys)!r} {where_looked}", _known_names(keys, names)))),
            )
        done.append(".".join(keys[:size]))
        inside, keys = inside[done[-1]], keys[size:]
    value = inside.get(VALUE) if isinstance(inside, Mapping) else inside
    if isinstance(inside, Mapping) and VALUE not in inside:
        return Found(None, f"is a table of figures; name one of them: {_first_names(inside)}")
    if value is None:
        return Found(None, "is undefined: the held-out data cannot give this figure")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Found(None, f"is not a number: {value!r}")
    return Found(float(value))


def paths_like(metrics: Mapping[str, Any], pattern: str) -> list[str]:
    """Return the paths of all figures that match a pattern with ``*``, in the order of the file.

    >>> paths_like({"clips": {"f1": {"kick": {"value": 1.0}, "snare": {"value": None}}}}, "clips.f1.*")
    ['clips.f1.kick', 'clips.f1.snare']
    """
    return [path for path in _paths(metrics, "") if fnmatchcase(path, pattern)]


def _paths(inside: Mapping[str, Any], before: str) -> Iterator[str]:
    for key, value in inside.items():
        if not isinstance(value, Mapping):
            continue
        if VALUE in value:
            yield f"{before}{key}"
        else:
            yield from _paths(value, f"{before}{key}.")


def _known_names(keys: list[str], names: list[str]) -> str:
    return did_you_mean(".".join(keys), names)


def _first_names(inside: Mapping[str, Any]) -> str:
    return ", ".join(list(map(str, inside))[:10])
