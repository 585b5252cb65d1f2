"""The module of each command and its line in ``ossicle --help``, so that the help page loads none of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Row:
    """One command, or one group of commands.

    Parameters
    ----------
    module
        Module below ``ossicle.app.cli`` whose ``register`` adds the command.
    about
        First paragraph of the command's help, on one line; a test compares the two.
    """

    module: str
    about: str


TABLE: Mapping[str, Row] = MappingProxyType(
    {
        "demo": Row(
            "run.demo",
            "Make synthetic tapes, train, evaluate, export, predict, stream, and write the page: minutes on two cores.",
        ),
        "new": Row("run.project", "Scaffold a project file from a recipe and a look at the recordings."),
        "presets": Row(
            "run.presets",
            "List the named trainings; a project names one as `preset` of the table training, or by --set.",
        ),
        "fetch": Row(
            "run.fetch",
            "Fetch the files that the table of `fetch` names: address, size in bytes, SHA-256 and path.",
        ),
        "check": Row(
            "run.project",
            "Say what is missing before a run, with the remedy; exit code 2 when a run would fail.",
        ),
        "run": Row("run.project", "Run a project: what is done already is reused, what is missing is computed."),
        "train": Row(
            "run.train",
            "Train the models of a project, or those of its variants; what is trained already is reused.",
        ),
        "status": Row(
            "run.project",
            "Show which steps are done under the current settings, and which would be computed.",
        ),
        "jobs": Row("run.jobs", "Run the work of a project on Slurm, or in processes side by side."),
        "predict": Row(
            "use.predict",
            "Find events in recordings. A file that cannot be read costs only itself: exit code 3 says so.",
        ),
        "stream": Row(
            "use.predict",
            "Print the events of a file as a microphone would give them: JSON lines, each when it is decided.",
        ),
        "export": Row(
            "run.export",
            "Export the final model, compare every graph with torch, and measure what each precision costs "
            "and how fast it is.",
        ),
        "cutouts": Row(
            "use.cutouts",
            "Cut the events of tables out of their recordings: `<stem>_<start ms>_<end ms>.wav`, with "
            "`cutouts.csv` beside.",
        ),
        "score": Row(
            "compare.score",
            "Compare events with annotations by optimal matching at an IoU (0.5 unless --iou or --collar is given).",
        ),
        "benchmark": Row(
            "compare.benchmark",
            "Judge models on an annotated corpus that they were not trained on; leaves `benchmark/` beside "
            "the project file.",
        ),
        "leaderboard": Row(
            "compare.leaderboard",
            "List the project and its variants, the best first, with what tells them apart.",
        ),
        "ensemble": Row(
            "compare.ensemble",
            "Make one detector of several variants, and lay it beside each of them and beside their plain mean.",
        ),
        "dataset": Row("data.dataset", "Look at the recordings, annotations and clips of a project."),
        "store": Row("data.store", "Build the store of a project's recordings, and check it."),
        "convert": Row(
            "data.convert",
            "Convert annotations from one format into another; what it cannot hold is said.",
        ),
        "review": Row("data.review", "Have a person correct what a model found, and learn from it."),
        "pseudo": Row(
            "data.pseudo",
            "Label unlabelled recordings with a project's own models: pseudo/round-NNN, from which the next "
            "run learns.",
        ),
        "purge": Row(
            "run.purge",
            "Remove artefacts that neither the present settings nor a variant, nor a bundle laid out from them, uses.",
        ),
    }
)
