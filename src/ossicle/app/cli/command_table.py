"""The commands by the headings of ``ossicle --help``, in the order shown: the module of each, and its line there.

The help page loads none of these modules.
"""

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


PANELS: Mapping[str, Mapping[str, Row]] = MappingProxyType(
    {
        "Start": {
            "demo": Row(
                "run.demo",
                "Run everything once on synthetic recordings: train, evaluate, export, predict, stream, report. "
                "Takes minutes.",
            ),
            "selftest": Row(
                "checks.selftest",
                "Check the installation with built-in sound: decode, index, judge, train, predict. Takes a minute or "
                "two.",
            ),
            "new": Row("run.new", "Create a project file from a recipe, with settings that fit the recordings."),
            "presets": Row(
                "run.presets",
                "List the named settings that ship with Ossicle. `ossicle presets show NAME` prints every value "
                "of one.",
            ),
            "fetch": Row(
                "run.fetch",
                "Download the recordings listed in the table `fetch.table`: address, size in bytes, SHA-256 and path.",
            ),
        },
        "Run": {
            "check": Row(
                "run.project",
                "Check the inputs of a run and list what is missing, with what to do. Exit code 2 if a run would fail.",
            ),
            "run": Row(
                "run.project",
                "Run a project: train, evaluate, and write the bundle and the report. Finished steps are reused.",
            ),
            "train": Row(
                "run.train",
                "Train the models of a project or of its variants. Finished trainings are reused.",
            ),
            "status": Row(
                "run.project",
                "Show which steps are done with the current settings, and which a run would compute.",
            ),
            "checklist": Row(
                "checks.checklist",
                "Check the data, train, evaluate and report, one stage after the other. A finished stage is not run "
                "again.",
            ),
            "track": Row(
                "run.track",
                "Show the trainings of a project, and upload their figures to Weights & Biases.",
            ),
            "jobs": Row("run.jobs", "Run a project on Slurm, on Modal or in parallel processes, and follow its jobs."),
        },
        "Use": {
            "predict": Row("use.predict", "Find events in recordings and write them as tables."),
            "stream": Row(
                "use.predict",
                "Print the events of a file as JSON lines, each as soon as it is decided, as for live sound from "
                "a microphone.",
            ),
            "live": Row(
                "use.live",
                "Listen to a microphone and print events or states as JSON lines, as soon as each is decided.",
            ),
            "export": Row(
                "run.export",
                "Export the final model in several precisions, and measure the accuracy and speed of each.",
            ),
            "cutouts": Row(
                "use.cutouts",
                "Write each event of a table as an audio file, `<stem>_<start ms>_<end ms>.wav`, and list them in "
                "`cutouts.csv`.",
            ),
            "embed": Row(
                "use.embed",
                "Write the embeddings of recordings as Parquet tables: file, start_s, end_s, token, embedding.",
            ),
            "similar": Row(
                "use.embed", "List the stretches of a project's recordings that are most like a given sound."
            ),
            "units": Row(
                "use.units",
                "Turn recordings into acoustic units with a trained quantiser, write those of a project in other "
                "forms, and turn units back into sound with a trained vocoder.",
            ),
        },
        "Compare": {
            "score": Row(
                "compare.score",
                "Compare the events of any tool with annotations: precision, recall and F1 by optimal matching.",
            ),
            "benchmark": Row(
                "compare.benchmark",
                "Evaluate models on annotated recordings that they were not trained on. Writes `benchmark/` in "
                "the project folder.",
            ),
            "leaderboard": Row(
                "compare.leaderboard",
                "Rank the project and its variants by their figures, the best first.",
            ),
            "compare-clips": Row(
                "compare.compare_clips",
                "Compare the answers of two runs to the same held-out clips: the second minus the first, with paired "
                "intervals.",
            ),
            "ensemble": Row(
                "compare.ensemble",
                "Combine several variants into one detector, and compare it with each of them and with their "
                "plain mean.",
            ),
        },
        "Promote": {
            "probe": Row(
                "promote.probe",
                "Judge a part of the held-out clips of a warm-up by the limits of the probe gate. Exit code 4: "
                "refused.",
            ),
            "promote": Row(
                "promote.promote",
                "Compare a finished run with the limits and with the promoted model, and promote it. Exit code 4: "
                "refused.",
            ),
            "registry": Row("promote.registry", "List, show and roll back promoted bundles."),
            "archive": Row(
                "promote.archive",
                "Write settings, figures, curves, health, mistakes, environment and model of a finished run to a dated "
                "folder.",
            ),
        },
        "Data": {
            "dataset": Row("data.dataset", "Inspect and export the recordings, annotations and clips of a project."),
            "store": Row("data.store", "Build and verify the store: the recordings of a project, decoded once."),
            "features": Row(
                "data.features",
                "Build and verify features: embeddings or spectrograms of the recordings of a project, computed once.",
            ),
            "remote": Row(
                "run.remote",
                "Copy files to and from a folder, another machine or a Modal volume, and list them.",
            ),
            "convert": Row(
                "data.convert",
                "Convert annotations from one format to another. Anything lost in the conversion is reported.",
            ),
            "review": Row(
                "data.review",
                "Export events for a person to correct, and import the corrections for the next training.",
            ),
            "pseudo": Row(
                "data.pseudo",
                "Label unlabelled recordings with the project's own models, as training data for the next run.",
            ),
        },
        "Maintain": {
            "pin": Row(
                "run.pin",
                "Name finished outputs that `ossicle purge` must keep, or list the names.",
            ),
            "purge": Row(
                "run.purge",
                "Remove outputs that no current settings, variant, published bundle or pin uses.",
            ),
        },
    }
)
"""Heading, then command, then its row."""


def command_names() -> list[str]:
    """Return the names of all commands in the order of ``ossicle --help``."""
    return [name for rows in PANELS.values() for name in rows]


def command_row(name: str) -> Row:
    """Return the row of a command."""
    return PANELS[panel_of(name)][name]


def panel_of(name: str) -> str:
    """Return the heading of a command.

    >>> panel_of("predict")
    'Use'
    """
    return next(panel for panel, rows in PANELS.items() if name in rows)
