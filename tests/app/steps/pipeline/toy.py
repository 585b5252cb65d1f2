"""A pipeline of three steps that knows nothing of sound: texts are listed, their words counted, and a page written.

Run as a script it is the command line of Ossicle with this pipeline among the others.
"""

import os
import signal
import time
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context, Step, WorkUnits
from ossicle.app.steps.pipeline.pipeline import Artefacts, Pipeline, Published, RefusingStep, RunSummary
from ossicle.app.steps.pipeline.pipelines import PIPELINES
from ossicle.artefacts.files import file_digest, read_json, write_json, write_text
from ossicle.core.errors import GateRefused

PAGE = "page.txt"
PROJECT = """
[project]
pipeline = "toy"
[corpus]
audio = "texts"
"""


def _list_texts(context: Context) -> None:
    for path in sorted((context.project.folder / "texts").glob("*.txt")):
        write_text(context.folder / path.name, path.read_text())


def _names(inputs: Artefacts) -> tuple[str, ...]:
    return tuple(path.stem for path in sorted(inputs["texts"].glob("*.txt")))


def _count(context: Context, name: str) -> None:
    """Count the words of a text.

    The file ``kill-NAME`` beside the project file kills the process that does so, and ``wait-NAME`` has it wait.
    """
    if (context.project.folder / f"wait-{name}").exists():
        time.sleep(100)
    if (order := context.project.folder / f"kill-{name}").exists():
        order.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    with (context.project.folder / "counted").open("a") as file:
        file.write(f"{name}\n")
    words = (context.inputs["texts"] / f"{name}.txt").read_text().split()
    write_json(context.folder / f"{name}.json", {"words": len(words), "refused": "bad" in words})


def _counted(out: Path, name: str) -> bool:
    return (out / f"{name}.json").exists()


def _count_all(context: Context) -> None:
    for name in _names(context.inputs):
        if not _counted(context.folder, name):
            _count(context, name)


def _write_page(context: Context) -> None:
    result = {path.stem: read_json(path) for path in sorted(context.inputs["counts"].glob("*.json"))}
    result.pop("artefact", None)
    write_text(context.folder / PAGE, "".join(f"{name}: {one['words']}\n" for name, one in result.items()))
    write_json(context.folder / "refused.json", [name for name, one in result.items() if one["refused"]])


def _refusal(artefacts: Artefacts, project: Project | None) -> GateRefused | None:
    refused = read_json(artefacts["page"] / "refused.json")
    return GateRefused(f"bad words in {', '.join(refused)}") if refused else None


PIPELINE = Pipeline(
    name="toy",
    steps=(
        Step(
            "texts",
            1,
            (),
            lambda project: {},
            _list_texts,
            extra=lambda project: {
                path.name: file_digest(path) for path in sorted((project.folder / "texts").glob("*.txt"))
            },
        ),
        Step(
            "counts",
            1,
            ("texts",),
            lambda project: {"seed": project.settings.split.seed},
            _count_all,
            work_units=WorkUnits(("texts",), _names, _count, _counted, max_concurrent=7),
        ),
        Step("page", 1, ("counts",), lambda project: {}, _write_page),
    ),
    published=(Published(PAGE, ("page",)),),
    refusing=RefusingStep("page", _refusal, withheld=(PAGE,)),
    summary=lambda artefacts: RunSummary(results=(PAGE,)),
    pulled={"counts": "counts"},
)


def write_toy(folder: Path, **texts: str) -> Path:
    """Write a project of this pipeline with these texts; gives its folder."""
    (folder / "texts").mkdir(parents=True)
    for name, text in texts.items():
        (folder / "texts" / f"{name}.txt").write_text(text)
    (folder / "ossicle.toml").write_text(PROJECT)
    return folder


if __name__ == "__main__":
    from ossicle.app.cli.main import main

    PIPELINES[PIPELINE.name] = PIPELINE
    main()
