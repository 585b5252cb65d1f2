"""``ossicle dataset stats``: count the content of a dataset."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    Json,
    ProgressKind,
    ProjectFile,
    Set,
    Variant,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows

Row = Mapping[str, Any]
_ORDER = ("train", "val", "test")
_MOST_ROWS = 60


def stats(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Count clips by split (or fold), class, quality and group, and show how noise clips were chosen.

    Also lists what a leaky split cuts through, targets without room for a matching noise clip, and labels with fewer
    groups than folds. If there are very many groups, only the largest are shown.
    """
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.data import dataset
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.run_project import run_project
    from ossicle.artefacts.typed.dataset import DatasetFolder
    from ossicle.artefacts.typed.index import CorpusFolder
    from ossicle.corpus.indexing.index_storage import read_index

    with make_progress(progress) as shown:
        loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant)
        done = run_project(loaded, shown, until=dataset.STEP.name)
    dataset_folder = DatasetFolder.among(done.artefacts)
    split, counts = dataset_folder.split, dataset_folder.stats.to_dicts()
    rows = [{"split": split["names"][str(row["fold"])], **row} for row in counts]
    if as_json:
        keys = ("strategy", "leaky", "clips_crossing", "rare", "tapes", "unplaced")
        print(json_text({**{key: split[key] for key in keys}, "clips": rows}))
        return
    for title, key in (("class", _class), ("quality", _quality), ("group", lambda row: str(row["group"]))):
        _show(title, rows, key, _MOST_ROWS if title == "group" else 0)
    columns = ("group", "asked", "placed", "from_fallback", "skipped", "overlapping", "duplicates")
    mined = sorted(split["tapes"], key=lambda tape: -tape["asked"])[:_MOST_ROWS]
    tapes = [
        tuple(str(column[key]) for key in columns)
        for column in sorted(mined, key=lambda tape_row: str(tape_row["group"]))
    ]
    if any(tape_row["asked"] for tape_row in mined):
        head = ("noise of", "asked", "placed", "from fallback", "skipped", "overlapping", "exact duplicates")
        print_rows(head, tapes)
    _show_rare(split["rare"])
    if split["unplaced"]:
        paths = {
            recording.id: recording.path for recording in read_index(CorpusFolder.among(done.artefacts)).recordings
        }
        print("no room for matching noise clips:")
        for placement in split["unplaced"]:
            where = f"{paths[placement['recording_id']]} at {placement['start_s']:.3f} to {placement['end_s']:.3f} s"
            print(printable(f"  {placement['label']!r} in {where}: {placement['placed']} of {placement['asked']}"))
    if split["leaky"]:
        crossing = split["clips_crossing"]
        shared = f"; {crossing} clips share time across the split" if crossing else ""
        print(printable(f"{split['leaky']}{shared}"))


def _show_rare(rare: Mapping[str, Any]) -> None:
    """Print the labels with fewer groups than folds, and where they are evaluated."""
    if rare["labels"]:
        in_training = rare["rule"] == "train"
        rows = [
            (
                label["label"],
                str(label["groups"]),
                str(label["recordings"]),
                ", ".join(map(str, label["folds"])) or "never held out",
            )
            for label in rare["labels"]
        ]
        print_rows(("fewer groups than folds", "groups", "recordings", "evaluated in folds"), rows)
        print(
            printable(
                f"split.rare = {rare['rule']}: "
                + (
                    f"their groups train every model; {rare['never_held_out']} recordings are never held out"
                    if in_training
                    else "they are assigned to folds like the others, so not every fold evaluates them"
                )
            )
        )


def _show(title: str, rows: Sequence[Row], key: Callable[[Row], str], most: int = 0) -> None:
    """Print counts, one column for each split, and total seconds; with more than ``most`` rows, only the longest."""
    splits = list(dict.fromkeys(row["split"] for row in rows))
    splits.sort(key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    clips_by_name: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(splits, 0))
    seconds: dict[str, float] = defaultdict(float)
    for row in rows:
        clips_by_name[key(row)][row["split"]] += row["clips"]
        seconds[key(row)] += row["seconds"]
    shown = sorted(sorted(clips_by_name, key=lambda name: -seconds[name])[: most or None])
    total = [sum(clips_of_name[name] for clips_of_name in clips_by_name.values()) for name in splits]
    print_rows(
        (title, *splits, "all", "seconds"),
        [
            (
                name,
                *map(str, clips_by_name[name].values()),
                str(sum(clips_by_name[name].values())),
                f"{seconds[name]:.1f}",
            )
            for name in shown
        ],
        total=("total", *map(str, total), str(sum(total)), f"{sum(seconds.values()):.1f}"),
    )

    if len(clips_by_name) > len(shown):
        print(printable(f"the {len(shown)} longest of {len(clips_by_name)}; --json lists all"))


def _class(row: Row) -> str:
    return str(row["label"]) if row["role"] == "target" else str(row["role"])


def _quality(row: Row) -> str:
    if row["role"] != "target":
        return str(row["role"])
    return "unknown" if row["quality"] is None else str(row["quality"])
