"""Rounds of pseudo-labels as numbered folders beside the project file, each written atomically.

    pseudo/round-001/round.json        models, settings, counts, dropped windows and reasons
                     windows.parquet   the windows of each view
                     targets.parquet   their soft targets above 0
                     taught.parquet    the labelled recordings on which the models of each view were trained

A *view* is the output of some of the models: labels from which one training may learn. A training that holds recordings
out may use a view only if its models, and the models that labelled their own training data, back to the first round,
were not trained on any of these recordings, copies of their files or other recordings of their groups
(:func:`choose_view`). A round stores its own origin: neither names nor folds are trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ossicle.artefacts.files import read_json, tree_digest, whole_folder, write_json
from ossicle.artefacts.filesystem.numbered import next_numbered, numbered_files
from ossicle.artefacts.filesystem.replacing import refuse_foreign
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.artefact import WINDOWS
from ossicle.core.errors import ArtefactError, FormatError, SplitError
from ossicle.corpus.pseudo_labels.settings import ALL, NONE, PseudoSettings
from ossicle.corpus.pseudo_labels.windows import Labelled, Windows

FOLDER = "pseudo"
FORMAT_VERSION = 1
_STEM = "round"
_ABOUT, _TARGETS, _TAUGHT = "round.json", "targets.parquet", "taught.parquet"
_WINDOW_SCHEMA = {
    "view": pl.String,
    "window": pl.Int64,
    "recording_id": pl.String,
    "digest": pl.String,
    "start_frame": pl.Int64,
    "top": pl.Int64,
    "score": pl.Float32,
    "heard": pl.Boolean,
}
_TARGET_SCHEMA = {
    "view": pl.String,
    "window": pl.Int64,
    "frame": pl.Int64,
    "column": pl.Int64,
    "value": pl.Float32,
}
_TAUGHT_SCHEMA = {"view": pl.String, "kind": pl.String, "value": pl.String}
_KINDS = ("ids", "digests", "groups")


@dataclass(frozen=True, slots=True)
class View:
    """The output of some models: digests of their weights by name, the kept windows, and their training recordings."""

    members: Mapping[str, str]
    windows: Windows
    taught: Labelled


@dataclass(frozen=True, slots=True)
class RoundHead:
    """A round without its windows: path, labels, grid, views and provenance.

    ``group`` is the field of the groups in ``taught``; ``about`` is the whole of ``round.json``.
    """

    path: Path
    labels: tuple[str, ...]
    core_frames: int
    hop_s: float
    group: str
    members: Mapping[str, Mapping[str, str]]
    taught: Mapping[str, Labelled]
    about: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name, such as ``round-001``."""
        return self.path.name


def round_folders(folder: Path) -> list[Path]:
    """Return the rounds in a folder by number; none if the folder does not exist."""
    return numbered_files(folder, _STEM, "")


def round_path(folder: Path, number: int) -> Path:
    """Return the path of the round with this number, counted from 1."""
    return folder / f"{_STEM}-{number:03d}"


def next_number(folder: Path) -> int:
    """Return the number for the next round."""
    return int(next_numbered(folder, _STEM, "").name.removeprefix(f"{_STEM}-"))


def chosen_rounds(folder: Path, settings: PseudoSettings) -> list[Path]:
    """Return the rounds used in training, the latest first; none if ``settings`` name no unlabelled recordings."""
    if not settings.audio or settings.rounds == NONE:
        return []
    paths = round_folders(folder)
    if settings.up_to:
        paths = [path for path in paths if int(path.name.removeprefix(f"{_STEM}-")) <= settings.up_to]
    return paths[::-1] if settings.rounds == ALL else paths[-1:]


def round_digest(path: Path) -> str:
    """Return a digest of the whole content of a round."""
    return tree_digest(path)


def refuse_other_round(path: Path) -> None:
    """Raise UsageError if the folder of a round holds anything else, which would be lost when it is replaced."""
    refuse_foreign(path, (WINDOWS, _TARGETS, _TAUGHT, _ABOUT), "move that out of there")


def write_round(path: Path, views: Mapping[str, View], about: Mapping[str, Any], *, replace: bool = False) -> None:
    """Write a round atomically; ``about`` needs ``labels``, ``core_frames``, ``hop_s`` and ``group``."""
    windows, targets, taught = [], [], []
    for name, view in sorted(views.items()):
        written = view.windows
        counts = np.diff(written.offsets)
        windows.append(
            pl.DataFrame(
                {
                    "view": [name] * len(written),
                    "window": np.arange(len(written)),
                    "recording_id": written.recordings.tolist(),
                    "digest": written.digests.tolist(),
                    "start_frame": written.start_frames,
                    "top": written.top,
                    "score": written.scores,
                    "heard": written.heard,
                },
                schema=_WINDOW_SCHEMA,
            )
        )
        targets.append(
            pl.DataFrame(
                {
                    "view": [name] * len(written.values),
                    "window": np.repeat(np.arange(len(written)), counts),
                    "frame": written.frames,
                    "column": written.columns,
                    "value": written.values,
                },
                schema=_TARGET_SCHEMA,
            )
        )
        for kind in _KINDS:
            values = sorted(getattr(view.taught, kind))
            rows = {"view": [name] * len(values), "kind": [kind] * len(values), "value": values}
            taught.append(pl.DataFrame(rows, schema=_TAUGHT_SCHEMA))
    refuse_other_round(path)
    with whole_folder(path, replace=replace) as part:
        write_table(part / WINDOWS, pl.concat(windows), ["view", "window"])
        write_table(part / _TARGETS, pl.concat(targets), ["view", "window", "frame", "column"])
        write_table(part / _TAUGHT, pl.concat(taught), ["view", "kind", "value"])
        members = {name: {"members": dict(view.members)} for name, view in sorted(views.items())}
        write_json(part / _ABOUT, {"format": FORMAT_VERSION, **about, "views": members})


def read_head(path: Path) -> RoundHead:
    """Read a round without its windows; raises FormatError, naming the file, if it is damaged or not from Ossicle."""
    try:
        value = read_json(path / _ABOUT)
        if value["format"] != FORMAT_VERSION:
            raise ValueError(f"its format is {value['format']!r}, not {FORMAT_VERSION}")
        labels = tuple(str(label) for label in value["labels"])
        members = {
            str(name): {str(key): str(digest) for key, digest in view["members"].items()}
            for name, view in value["views"].items()
        }
        core_frames, hop_s, group = int(value["core_frames"]), float(value["hop_s"]), str(value["group"])
        if core_frames < 1 or not hop_s > 0 or not labels or len(set(labels)) != len(labels):
            raise ValueError("its labels or its grid are not valid")
        rows = read_table(path / _TAUGHT, _TAUGHT_SCHEMA)
        if strange := sorted(set(rows["kind"].to_list()) - set(_KINDS)):
            raise ValueError(f"{_TAUGHT} speaks of {strange[0]!r}")
    except (ArtefactError, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise _damaged(path, problem) from None
    taught: dict[str, Labelled] = {}
    for name in members:
        view_rows = rows.filter(rows["view"] == name)
        taught[name] = Labelled(
            *(frozenset(view_rows.filter(view_rows["kind"] == kind)["value"].to_list()) for kind in _KINDS)
        )
        if not taught[name].ids:
            # Without it, any training could use the view.
            raise _damaged(path, f"{_TAUGHT} says not what taught the view {name!r}")
    return RoundHead(path, labels, core_frames, hop_s, group, members, taught, value)


def read_windows(head: RoundHead, view: str) -> Windows:
    """Read the windows of a view; raises FormatError, naming the round, if its tables do not fit together."""
    try:
        rows = read_table(head.path / WINDOWS, _WINDOW_SCHEMA)
        rows = rows.filter(rows["view"] == view).sort("window")
        cells = read_table(head.path / _TARGETS, _TARGET_SCHEMA)
        cells = cells.filter(cells["view"] == view).sort("window", "frame", "column")
    except ArtefactError as problem:
        raise _damaged(head.path, problem) from None
    n = len(rows)
    starts, top, window_of_cell = rows["start_frame"].to_numpy(), rows["top"].to_numpy(), cells["window"].to_numpy()
    frames, columns, values = (cells[name].to_numpy() for name in ("frame", "column", "value"))
    faults = {
        "its windows are not numbered from 0": rows["window"].to_list() != list(range(n)),
        "a window begins before its recording": bool(np.any(starts < 0)),
        "a window has no highest label": bool(np.any((top < 0) | (top >= len(head.labels)))),
        "a target belongs to no window": bool(np.any((window_of_cell < 0) | (window_of_cell >= n))),
        "a target lies beyond its window": bool(np.any((frames < 0) | (frames >= head.core_frames))),
        "a target is of no label": bool(np.any((columns < 0) | (columns >= len(head.labels)))),
        "a target is not in (0, 1]": not bool(np.all((values > 0) & (values <= 1))),
    }
    for fault, has_fault in faults.items():
        if has_fault:
            raise _damaged(head.path, fault)
    return Windows(
        head.labels,
        np.array(rows["recording_id"].to_list(), dtype=np.str_),
        np.array(rows["digest"].to_list(), dtype=np.str_),
        starts,
        top,
        rows["score"].to_numpy(),
        rows["heard"].to_numpy(),
        np.searchsorted(window_of_cell, np.arange(n + 1)).astype(np.int64),
        frames,
        columns,
        values,
    )


def choose_view(head: RoundHead, held_out: Labelled, group: str, model: str) -> str:
    """Return the view from which a training that holds out ``held_out`` may learn: the allowed one with most models.

    ``group`` is the field of the groups in ``held_out``; groups of a field other than the round's are not compared
    (their recordings are). Raises SplitError, naming a conflicting recording, if all views come from models that were
    trained on data that ``model`` holds out, because their labels would leak it.
    """
    compared = held_out if group == head.group else Labelled(held_out.ids, held_out.digests)
    allowed = [name for name in head.members if not head.taught[name].shares(compared)]
    if not allowed:
        raise SplitError(
            f"{head.path}: every model that made it learned from recordings that {model!r} holds out, so its labels "
            "would carry them into the figures. It was made under another split: leave it out with [pseudo] rounds = "
            '"none" (or up_to), train, and make a new round'
        )
    return min(allowed, key=lambda name: (-len(head.members[name]), -len(head.taught[name].ids), name != model, name))


def _damaged(path: Path, problem: object) -> FormatError:
    return FormatError(f"{path}: is not a round of pseudo-labels ({problem}); restore it, or remove it")
