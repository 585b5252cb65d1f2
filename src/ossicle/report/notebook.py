"""The analysis notebook of a benchmark: the figures of its page from the same tables, executed, for further work.

It reads the CSV tables beside it and draws with :mod:`ossicle.report.figures.benchmark`, so it needs Ossicle and, to be
run again, Jupyter. It is not written if ``nbclient`` is not installed.
"""

import importlib.util
from pathlib import Path

from ossicle.artefacts.files import write_text

NEEDED = ("nbformat", "nbclient", "ipykernel")
_TIMEOUT_S = 600

_CELLS: tuple[tuple[str, str], ...] = (
    (
        "markdown",
        "# Benchmark: analysis\n\nEvery figure is drawn from the CSV tables beside this notebook. `chosen` gives each "
        "reading (a model with one window and step) with its row of greatest F1, which is in-sample: its threshold was "
        "chosen on these recordings. For figures that a new tape may expect see the basis `cross-fitted`.",
    ),
    (
        "code",
        "from pathlib import Path\n\nimport polars as pl\nfrom IPython.display import SVG, display\n\n"
        "from ossicle.report.figures import benchmark as fb\nfrom ossicle.report.figures.style import svg\n"
        "from ossicle.report.pages import benchmark_tables as bt\n\n"
        "folder = Path()\nabout = bt.read_summary(folder)\n"
        "tables = bt.read_tables(folder)\ncriterion = about['criteria'][0]\n"
        "readings = bt.chosen(tables['metrics'], criterion)\n\n\n"
        "def show(figure):\n    display(SVG(svg(figure)))\n\n\n"
        "{name: about[name] for name in ('readings', 'recordings', 'tapes', 'hours', 'annotations', 'labels')} | "
        "{'marks': about['overlap']['mark']}",
    ),
    ("markdown", "## Leaderboard"),
    (
        "code",
        "for basis in ('cross-fitted', 'bundle', 'in-sample'):\n"
        "    rows = bt.board(tables['leaderboard'], criterion, basis)\n"
        "    if len(rows):\n        show(fb.leaderboard_figure(rows, basis))\n"
        "        display(rows.select('name', 'f1', 'f1_low', 'f1_high', 'precision', 'recall', "
        "'false_alarms_per_hour', 'decisions', 'marks'))",
    ),
    ("markdown", "## Precision, recall and F1 against the threshold"),
    (
        "code",
        "for one in readings:\n    rows = bt.curve(tables['metrics'], one, criterion)\n"
        "    show(fb.rates_figure(rows, one.name, one.threshold))",
    ),
    (
        "code",
        "show(fb.pr_figure([(one.name, bt.curve(tables['metrics'], one, criterion)) for one in readings]))",
    ),
    ("markdown", "## Recall of every tape at every threshold"),
    (
        "code",
        "for one in readings:\n    cells = bt.tape_map(tables['per_tape'], one, criterion)\n"
        "    if len(cells):\n        show(fb.tape_map_figure(cells, one.name))",
    ),
    ("markdown", "## Hardest tapes"),
    (
        "code",
        "hardest = bt.hardest_tapes(tables['per_tape'], readings, criterion)\n"
        "if hardest['recall'].is_not_null().any():\n    show(fb.hardest_figure(hardest))\nhardest",
    ),
    ("markdown", "## Boundary errors"),
    (
        "code",
        "boundaries = bt.boundary_rows(tables['boundaries'], readings, criterion)\n"
        "if boundaries['pairs'].sum():\n    show(fb.boundary_figure(boundaries))\n"
        "boundaries.select('name', 'boundary', 'threshold', 'q05_ms', 'q25_ms', 'q50_ms', 'q75_ms', 'q95_ms', 'pairs')",
    ),
    ("markdown", "## Recall by quality"),
    ("code", "pl.concat([bt.curve(tables['per_quality'], one, criterion) for one in readings])"),
)


def missing() -> tuple[str, ...]:
    """Return the packages for an executed notebook that are not installed."""
    return tuple(name for name in NEEDED if importlib.util.find_spec(name) is None)


def write_notebook(path: Path, folder: Path) -> bool:
    """Execute the notebook over the tables in ``folder`` and write it; return False and write nothing if Jupyter is
    missing.

    The cells run in a separate process with ``folder`` as its working folder; a failing cell raises
    ``nbclient.exceptions.CellExecutionError``.
    """
    if missing():
        return False
    # Optional extras, needed only here.
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    for index, (kind, text) in enumerate(_CELLS):
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        cell = make(text)  # type: ignore[no-untyped-call]
        # Random by default: equal tables should give equal notebooks.
        cell["id"] = f"cell-{index}"
        book.cells.append(cell)
    client = NotebookClient(
        book,
        kernel_name="python3",
        # It warns that its sockets are not encrypted; nothing here is secret.
        extra_arguments=["--log-level=ERROR"],
        timeout=_TIMEOUT_S,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
    )
    client.execute()
    nbformat.validate(book)
    write_text(path, nbformat.writes(book) + "\n")  # type: ignore[no-untyped-call]
    return True
