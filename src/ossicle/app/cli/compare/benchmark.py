"""``ossicle benchmark``: evaluate models on a separate corpus, under every window, threshold and decision of a grid."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    Device,
    Json,
    ProgressKind,
    ProjectFile,
    Set,
    StopAfter,
    overrides_of,
    stopping,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.run.elsewhere import On, Watched, place_of
from ossicle.app.cli.tables.cells import MISSING, interval_cell
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import load_project
from ossicle.core.errors import EXIT_INCOMPLETE, UsageError

_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(benchmark)


def benchmark(
    project: ProjectFile = HERE,
    corpus: Annotated[
        Path | None,
        typer.Option("--corpus", help="Folder of recordings; overrides \\[benchmark] audio.", show_default=False),
    ] = None,
    annotations: Annotated[
        Path | None,
        typer.Option(
            "--annotations",
            help="Annotations of these recordings; overrides \\[benchmark] annotations.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="Bundle folder, registry:NAME@current or variant to evaluate; overrides \\[benchmark] models. "
            "Repeatable.",
            show_default=False,
        ),
    ] = None,
    allow_overlap: Annotated[
        bool,
        typer.Option("--allow-overlap", help="Evaluate on training recordings too; all results are marked as such."),
    ] = False,
    task: Annotated[
        str,
        typer.Option(
            help="Run one task only: index, score:MODEL:WINDOW, decide:MODEL:WINDOW or metrics (--tasks lists them).",
            show_default=False,
        ),
    ] = "",
    tasks: Annotated[bool, typer.Option("--tasks", help="List the tasks as command lines, and run nothing.")] = False,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    device: Device = "",
    on: On = None,
    stop_after: StopAfter = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Evaluate models on annotated recordings that they were not trained on. Writes `benchmark/` in the project folder.

    Scores are computed once for each model, window length and step; all thresholds and decisions use them. Finished
    work is reused. With --on, the tasks run in parallel: in processes on this machine, on Slurm or on Modal. Exit code
    3: some recordings were skipped or end early; each is listed.
    """
    from ossicle.app.jobs.benchmark import benchmark_elsewhere, benchmark_jobs
    from ossicle.app.jobs.placed import do_jobs
    from ossicle.app.steps.benchmark.tasks import benchmark_tasks, run_benchmark
    from ossicle.app.steps.engine.progress import make_progress

    overrides = (
        *overrides_of(set_, device, "benchmark", audio_root_map),
        *_stated_overrides(corpus, annotations, model or [], allow_overlap),
    )
    loaded = load_project(project, overrides, data_root)
    if tasks:
        options = [word for override in overrides for word in ("--set", override)]
        options += ["--data-root", str(data_root)] if data_root is not None else []
        for each in benchmark_tasks(loaded, options, overrides):
            command = ["ossicle", *each.argv]
            task_json = {"name": each.name, "command": command, "needs": list(each.needs), "step": each.step}
            print(json_text(task_json, indent=None))
        return
    if not task and (place_of(on) or benchmark_elsewhere(loaded, on)):
        if stop_after is not None and benchmark_elsewhere(loaded, on):
            raise UsageError("--stop-after works on this machine only: add --on local")
        watched = Watched(project)
        with stopping(stop_after), watched.leaving():
            do_jobs(loaded, benchmark_jobs(loaded, overrides, on), watched.show, watched.show_plan)
    # Find and show what the tasks have done.
    with stopping(stop_after), make_progress(progress) as shown:
        done = run_benchmark(loaded, shown, overrides, task)
    if as_json:
        facts = {"folder": str(done.folder), "outcomes": done.outcomes, "seconds": done.seconds, "lost": done.lost}
        board = _board(done.folder) if "metrics" in done.outcomes else []
        print(json_text({**facts, "leaderboard": board}))
    else:
        rows = [(name, outcome, f"{done.seconds[name]:.1f}") for name, outcome in done.outcomes.items()]
        print_rows(("task", "outcome", "seconds"), rows)
        if "metrics" in done.outcomes:
            _show(done.folder)
    for loss in done.lost:
        print(printable(loss), file=sys.stderr)
    if done.lost:
        raise typer.Exit(EXIT_INCOMPLETE)


def _stated_overrides(
    corpus: Path | None, annotations: Path | None, models: list[str], allow_overlap: bool
) -> list[str]:
    """Return the options as ``--set`` overrides; paths are relative to the working folder, not to the project file."""
    overrides = []
    for key, path in (("audio", corpus), ("annotations", annotations)):
        if path is not None:
            overrides.append(f"benchmark.{key}={json.dumps(str(path.absolute()), ensure_ascii=False)}")
    if corpus is not None and annotations is None:
        overrides.append('benchmark.annotations=""')
    if models:
        named = [str(Path(model).absolute()) if Path(model).is_dir() else model for model in models]
        overrides.append(f"benchmark.models={json.dumps(named, ensure_ascii=False)}")
    if allow_overlap:
        overrides.append("benchmark.allow_overlap=true")
    return overrides


def _board(folder: Path) -> list[dict[str, Any]]:
    from ossicle.artefacts.typed.benchmark import BenchmarkResultsFolder

    rows: list[dict[str, Any]] = BenchmarkResultsFolder(folder).table("leaderboard").to_dicts()
    return rows


def _show(folder: Path) -> None:
    from ossicle.artefacts.typed.benchmark import BenchmarkResultsFolder

    board, results = _board(folder), BenchmarkResultsFolder(folder)
    first = results.summary["criteria"][0]
    shown_rows = [row for row in board if row["criterion"] == first]
    shown_rows.sort(key=lambda row: (str(row["basis"]), row["f1"] is None, -float(str(row["f1"] or 0))))
    rows = [
        (
            f"{row['model']} {row['reading']}",
            str(row["basis"]),
            _interval(row, "f1"),
            _interval(row, "precision"),
            _interval(row, "recall"),
            MISSING if row["false_alarms_per_hour"] is None else f"{row['false_alarms_per_hour']:.1f}",
            str(row["marks"] or ""),
        )
        for row in shown_rows[:_SHOWN]
    ]
    print_rows((str(first), "threshold", "F1", "precision", "recall", "false/h", "marks"), rows)
    for path in (results.page, results.table_file("metrics"), results.table_file("leaderboard"), results.models):
        print(printable(str(path)))


def _interval(row: dict[str, Any], name: str) -> str:
    return interval_cell({"value": row[name], "low": row[f"{name}_low"], "high": row[f"{name}_high"]})
