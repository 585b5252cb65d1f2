"""Former names of tables and steps: they still load, with a warning that names the file and the present name."""

import warnings
from collections.abc import Mapping
from typing import Any

from ossicle.core.errors import ProjectError

FORMER_TABLES: Mapping[tuple[str, ...], str] = {("gate",): "noise_gate", ("jobs", "gate"): "noise_gate"}
"""Path of a table under its former name, and the present name of its last part."""

REMOVED_KEYS: Mapping[tuple[str, ...], str] = {
    ("augment", "noise_probability"): "was removed, because crops of noise are now added to every batch: delete the "
    "line, or set their number with noise_share (default 0.125)"
}
"""Keys that exist no more, and what to write instead."""


class FormerNameWarning(FutureWarning):
    """A former name was used; the message says where, and which name to write instead."""


def present_tables(values: dict[str, Any], origin: str) -> dict[str, Any]:
    """Return the tables of one layer under their present names.

    Parameters
    ----------
    values
        Tables as one file, variant or ``--set`` gives them; not changed.
    origin
        Where they come from, for messages.

    Raises
    ------
    ProjectError
        The layer holds a table under both names.
    """
    for former in FORMER_TABLES:
        values = _renamed(values, former, (), origin)
    return values


def present_key(key: tuple[str, ...], origin: str) -> tuple[str, ...]:
    """Return a key path as in ``--set TABLE.KEY=VALUE`` with its table under the present name.

    >>> present_key(("training", "epochs"), "--set training.epochs=8")
    ('training', 'epochs')
    """
    for former, name in FORMER_TABLES.items():
        if key[: len(former)] == former:
            _warn_of_table(former, name, origin)
            return (*former[:-1], name, *key[len(former) :])
    return key


def present_step(name: str, former: Mapping[str, str]) -> str:
    """Return the present name of a requested step; ``former`` maps former names to present ones."""
    present = former.get(name, name)
    if present != name:
        warnings.warn(f"the step {name} is now called {present}", FormerNameWarning, stacklevel=2)
    return present


def _renamed(values: dict[str, Any], former: tuple[str, ...], above: tuple[str, ...], origin: str) -> dict[str, Any]:
    first, *rest = former
    if first not in values:
        return values
    if rest:
        inner = values[first]
        if not isinstance(inner, dict):
            return values
        return {**values, first: _renamed(inner, tuple(rest), (*above, first), origin)}
    path = (*above, first)
    name = FORMER_TABLES[path]
    old, new = ".".join(path), ".".join((*above, name))
    if name in values:
        raise ProjectError(
            f"{origin}: contains both [{old}] and [{new}], and [{old}] is the former name of [{new}]: move its keys "
            f"into [{new}] and delete [{old}]"
        )
    _warn_of_table(path, name, origin)
    # Replace the old table in place, so that the order of the file stays.
    return {name if key == first else key: value for key, value in values.items()}


def _warn_of_table(former: tuple[str, ...], name: str, origin: str) -> None:
    old, new = ".".join(former), ".".join((*former[:-1], name))
    warnings.warn(f"{origin}: [{old}] is now called [{new}]; rename it there", FormerNameWarning, stacklevel=2)
