"""Tasks, placements and names from which the tests of jobs make plans."""

from pathlib import Path

from ossicle.app.jobs.job import Task
from ossicle.app.project.tables.placement import StepPlacement

SLURM = StepPlacement(on="slurm", gpus=0)


def task(name: str, *words: str, folder: str = ".") -> Task:
    return Task(name, ("ossicle", *words), folder)


def fake(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/bash\n{text}\n")
    (folder / name).chmod(0o755)
    return folder
