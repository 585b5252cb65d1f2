"""``ossicle compare-clips``: two runs on the same held-out clips."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from ossicle.app.cli.options import Json
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.cells import figure_cell, interval_cell
from ossicle.app.cli.tables.table import print_rows
from ossicle.artefacts.logs.noted_files import NotedFiles
from ossicle.core.errors import UsageError

if TYPE_CHECKING:
    from ossicle.evaluation.clips.comparison import ClipComparison

PICTURE, FIGURES = "confusion_difference.svg", "comparison.json"
"""Names of the files that ``--output`` writes."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare-clips")(compare_clips)


def compare_clips(
    first: Annotated[Path, typer.Argument(help="A project folder after a run, `variants/NAME` in it, or an archive.")],
    second: Annotated[Path, typer.Argument(help="The other run.")],
    pair: Annotated[
        list[str] | None,
        typer.Option(
            "--pair",
            help="A confusion to compare: 'kick > ride*' is kicks that were taken for any label that begins with "
            "ride. Repeatable.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help=f"Also write {FIGURES} and {PICTURE} into this folder.", show_default=False
        ),
    ] = None,
    resamples: Annotated[int, typer.Option(min=100, help="Number of resamples for the intervals.")] = 1000,
    as_json: Json = False,
) -> None:
    """Compare the answers of two runs to the same held-out clips: the second minus the first, with paired intervals.

    Clips that only one of them judged are left out and counted. Both are resampled together, by recording and, where
    there are enough, by group. Nothing is trained or evaluated.
    """
    from ossicle.evaluation.clips.comparison import compare_answers
    from ossicle.evaluation.gates.confusion_pairs import parse_pair

    try:
        pairs = [parse_pair(text) for text in pair or ()]
    except ValueError as error:
        raise UsageError(f"--pair: {error}") from None
    if output is not None and output.exists() and not output.is_dir():
        raise UsageError(f"--output {output} is a file; give a folder")
    noted = None if output is None else NotedFiles(output)
    if noted is not None:
        noted.refuse((FIGURES, PICTURE))
    comparison = compare_answers(_answers(first), _answers(second), pairs, resamples)
    if output is not None and noted is not None:
        _write(output, comparison, noted)
    if as_json:
        print(json_text(comparison.to_json()))
        return
    _show(comparison)


def _answers(source: Path) -> pl.DataFrame:
    """Return the answers below a folder, or in a file."""
    from ossicle.artefacts.tables import read_table
    from ossicle.artefacts.typed.clip_results import CLIPS, ClipResults
    from ossicle.evaluation.clips.comparison import ANSWER_SCHEMA

    tried = [source] if source.is_file() else [ClipResults(folder).answers_file for folder in (source / CLIPS, source)]
    file = next((path for path in tried if path.is_file()), None)
    if file is None:
        raise UsageError(
            f"{source}: there are no answers to clips ({CLIPS}/{tried[-1].name}); give the folder of a project that "
            "was "
            'run with [evaluation] criterion = "clips" or "onsets", or that of a variant below variants/'
        )
    return read_table(file, ANSWER_SCHEMA)


def _write(folder: Path, comparison: "ClipComparison", noted: NotedFiles) -> None:
    from ossicle.artefacts.files import write_json, write_text
    from ossicle.report.figures.confusion import difference_figure
    from ossicle.report.figures.style import svg

    with noted.writing(folder / FIGURES) as part:
        write_json(part, comparison.to_json())
    with noted.writing(folder / PICTURE) as part:
        write_text(part, svg(difference_figure(comparison.labels, comparison.confusion[1] - comparison.confusion[0])))


def _show(comparison: "ClipComparison") -> None:
    values = comparison.to_json()
    first_values, other, change = values["first"], values["second"], values["difference"]
    rows: list[tuple[str, ...]] = [
        (title, interval_cell(first_values[name]), interval_cell(other[name]), interval_cell(change[name], "+"))
        for title, name in (("accuracy", "accuracy"), ("macro F1", "macro_f1"), ("loss", "loss"))
    ]
    rows += [
        (
            f"F1 {label}",
            *(interval_cell(run_values["f1"][label]) for run_values in (first_values, other)),
            interval_cell(change["f1"][label], "+"),
        )
        for label in comparison.labels
    ]
    print_rows((f"{comparison.first.n} clips", "first", "second", "second minus first"), rows)
    for title, pairs in (("asked confusions", values["pairs"]), ("most changed confusions", values["most_changed"])):
        cells = [
            (
                pair_values["pair"],
                str(pair_values["clips"]),
                *(figure_cell(pair_values[name]) for name in ("before", "after")),
                interval_cell(pair_values["difference"], "+"),
            )
            for pair_values in pairs
        ]
        if cells:
            print_rows((title, "clips", "first", "second", "second minus first"), cells)
    for n, which in ((comparison.only_first, "first"), (comparison.only_second, "second")):
        if n:
            print(printable(f"left out: {n} clips that only the {which} run judged"))
    few = "; few groups: the intervals are not valid for new groups" if comparison.first.few_groups else ""
    print(printable(f"shares of confusions are of the clips of the true label; paired 95 % intervals{few}"))
