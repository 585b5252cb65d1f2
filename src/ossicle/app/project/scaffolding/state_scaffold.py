"""``ossicle new`` for recipes that read states: labels from fields of names, their group, masks and priority."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ossicle.app.project.scaffolding.toml_lines import line, quoted
from ossicle.core.decisions.state_words import word_for_on
from ossicle.core.decisions.states import masking_order
from ossicle.core.errors import UsageError
from ossicle.core.text.suggestion import did_you_mean
from ossicle.corpus.formats.cells.delimited import read_delimited, with_columns
from ossicle.corpus.formats.cells.missing_values import stated
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.naming.name_templates import Templates

GROUP = "daypart"
"""The field that is the group if the user names none."""
NO_MASKS = "none"
_EXAMPLE = "ac-{ac:on|off}-fridge-{fridge:on|off}-{daypart:day|night}"

Masks = Mapping[str, tuple[str, ...]]


def reads_states(recipe: Mapping[str, Any]) -> bool:
    """Return whether a recipe, given as its tables, decides about states."""
    return "states" in recipe


def fields_of_names(templates: Templates) -> tuple[dict[str, str], str]:
    """Return the label fields of name templates with the value that means present, and the field of the group.

    Fields whose two values mean on and off (:mod:`~ossicle.core.decisions.state_words`) are labels. The group is
    ``daypart`` if it is a field, else the first field that is no label; empty if there is none.

    Raises
    ------
    UsageError
        No field has such values.
    """
    labels = {
        name: present
        for name, values in templates.choices.items()
        if len(values) > 1 and (present := word_for_on(values))
    }
    if not labels:
        problem = (
            f"{templates.in_words}: no field has two values that mean on and off, as on|off, 1|0, yes|no or an|aus"
            if templates.texts
            else "this is missing"
        )
        raise UsageError(
            f"--template {problem}; this recipe reads labels from the names of files, as in '{_EXAMPLE}', from a table "
            "(--labels FILE.csv) or from folders (--labels folder)"
        )
    others = [name for name in templates.names if name not in labels]
    return labels, GROUP if GROUP in others else (others or [""])[0]


def fields_of_table(table: Path, file_column: str) -> tuple[dict[str, str], str]:
    """Return the columns of a table that are labels with the value that means present, and the column of the group.

    A label column holds two words that mean on and off (:mod:`~ossicle.core.decisions.state_words`), in any case; cells
    may be empty (unknown).

    Raises
    ------
    UsageError
        No column is like that.
    """
    read = read_delimited(table, with_columns(file_column))
    labels: dict[str, str] = {}
    for column, name in enumerate(read.header):
        values = {stated(cells[column]).casefold() for _, cells in read.rows if column < len(cells)} - {"", "unknown"}
        present = word_for_on(values)
        if name and name != file_column and present:
            labels[name] = present
    if not labels:
        raise UsageError(
            f"{table}: no column holds on and off only (or 1 and 0, yes and no, an and aus), so none is a label; "
            f"columns: {', '.join(read.header)}"
        )
    return labels, GROUP if GROUP in read.header else ""


def wanted_masks(options: Sequence[str], labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return which labels hide which others, from ``--masks`` options such as ``ac:fridge`` or ``ac:fridge,fan``.

    Without an option the first label hides all others; ``none`` hides nothing.

    Raises
    ------
    UsageError
        An option has another form or names no label, or a label would hide itself.

    Examples
    --------
    >>> wanted_masks([], ["ac", "fridge"]), wanted_masks(["none"], ["ac", "fridge"])
    ({'ac': ('fridge',)}, {})
    """
    if not options:
        return {labels[0]: tuple(labels[1:])} if len(labels) > 1 else {}
    if list(options) == [NO_MASKS]:
        return {}
    masks: dict[str, tuple[str, ...]] = {}
    for option in options:
        label, colon, hidden = (part.strip() for part in option.partition(":"))
        others = tuple(hidden_label.strip() for hidden_label in hidden.split(","))
        if not label or not colon or not all(others):
            raise UsageError(f"--masks {option}: write LABEL:HIDDEN, as ac:fridge, or {NO_MASKS}")
        for named_label in (label, *others):
            if named_label not in labels:
                raise UsageError(
                    f"--masks {option}: {named_label!r} is not a label; {did_you_mean(named_label, labels)}"
                )
        masks[label] = tuple(dict.fromkeys((*masks.get(label, ()), *others)))
    try:
        masking_order(masks)
    except ValueError as problem:
        raise UsageError(f"--masks {' '.join(options)}: {problem}") from None
    return masks


def feature_lines(index: CorpusIndex, recipe: Mapping[str, Any]) -> list[str]:
    """Return the lines of ``[encoder]`` and ``[features]``: what the recipe says, for the user to change.

    The window of the recipe is shortened if half of the recordings are shorter.
    """
    window_s, hop_s = float(recipe["features"]["window_s"]), float(recipe["features"]["hop_s"])
    usual_s = float(np.median([recording.duration_s for recording in index.recordings]))
    reason = "s; longer windows are surer, and later"
    if usual_s < window_s:
        window_s, reason = max(math.floor(usual_s * 10) / 10, 0.3), f"s; half of the recordings last {usual_s:.2g} s"
        hop_s = min(hop_s, window_s)
    return [
        "[encoder]",
        line("name", quoted(recipe["encoder"]["name"]), "built in; or birdnet, beats, hf, onnx"),
        "",
        "[features]",
        line("window_s", window_s, reason),
        line("hop_s", hop_s, "s from window to window"),
    ]


def state_lines(labels: Sequence[str], masks: Masks, *, chosen: bool) -> list[str]:
    """Return the lines of ``[states]``.

    Parameters
    ----------
    labels
        The labels, the most important first.
    masks
        Which labels hide which others.
    chosen
        Whether the user chose the masks; if not, a comment says what they mean.
    """
    if len(labels) < 2:
        return []
    lines = ["", "[states]"]
    if masks and not chosen:
        first, others = next(iter(masks.items()))
        lines += [
            f"# The default: while {first} is on, the state of {' and '.join(others)} is unknown, because it may be",
            "# inaudible. Write masks = {} if it is heard all the same.",
        ]
    listed = ", ".join(f"{key(label)} = [{', '.join(map(quoted, hidden))}]" for label, hidden in masks.items())
    lines.append(f"masks = {{{listed}}}")
    lines.append(line("priority", f"[{', '.join(map(quoted, labels))}]", "of the overall status"))
    return lines


def key(name: str) -> str:
    """Return a name as a key of TOML, in quotes unless it is plain.

    >>> key("ac"), key("my fan")
    ('ac', '"my fan"')
    """
    plain = name.isascii() and name.replace("_", "a").replace("-", "a").isalnum()
    return name if plain else quoted(name)
