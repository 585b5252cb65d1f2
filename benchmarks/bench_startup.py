"""Start-up: processor time of `ossicle --help`, `status` and `predict --help`, beside Python alone and two libraries.

`status` is measured on an empty project, and on one of several hundred recordings whose corpus, dataset and store are
built; `--project` measures a project of yours instead, such as a finished one.

Each command runs several times in turn with the others, each time in a new process. Bytecode is cached beforehand, as
an installed package has it. `--against` names the source folder (`src`) of another version, to measure the same
commands there.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
from commands import OSSICLE, ossicle
from machine import HERE, RESULTS, described, table, write_result
from processes import measured
from smoke import parsed

SOURCE = HERE.parent / "src"
PROJECT = 'base = "recipe:tapes"\n[corpus]\naudio = "audio"\nannotations = "tables"\n'
RATE = 16_000
EMPTY, LIBRARIES = "python -c pass", "python -c 'import numpy, polars'"


def commands(projects: Mapping[str, Path]) -> dict[str, list[str]]:
    """The commands to measure, by the names in the table; ``projects`` are named by what they hold."""
    return {
        EMPTY: [sys.executable, "-c", "pass"],
        LIBRARIES: [sys.executable, "-c", "import numpy, polars"],
        "ossicle --help": [*OSSICLE, "--help"],
        "ossicle predict --help": [*OSSICLE, "predict", "--help"],
        **{f"ossicle status, {name}": [*OSSICLE, "status", "-p", str(project)] for name, project in projects.items()},
    }


def empty_project(folder: Path) -> Path:
    """Create a project without a recording."""
    for name in ("audio", "tables"):
        (folder / name).mkdir(parents=True)
    (folder / "ossicle.toml").write_text(PROJECT)
    return folder


def built_project(folder: Path, recordings: int) -> Path:
    """Create a project of short recordings with one call each, and build its corpus, dataset and store."""
    empty_project(folder)
    rng = np.random.default_rng(0)
    for number in range(recordings):
        name = f"site{number % 10}_{number:04d}"
        noise = rng.normal(0, 0.01, 2 * RATE).astype(np.float32)
        soundfile.write(folder / "audio" / f"{name}.wav", noise, RATE)
        (folder / "tables" / f"{name}.txt").write_text("0.5\t0.9\tcall\n")
    (folder / "ossicle.toml").write_text(
        f'{PROJECT}name_template = "site{{site}}_*"\n[split]\ngroup = "site"\nfolds = 2\n'
    )
    ossicle("run", "-p", folder, "--until", "store", "--progress", "none")
    return folder


def processor_seconds(
    sources: Mapping[str, Path], projects: Mapping[str, Path], runs: int, scratch: Path
) -> dict[tuple[str, str], list[float]]:
    """Processor seconds of every run, by version and command."""
    out: dict[tuple[str, str], list[float]] = {}
    for turn in range(runs + 1):
        for version, source in sources.items():
            environment = {
                "PYTHONPATH": str(source),
                "PYTHONPYCACHEPREFIX": str(scratch / "bytecode" / version),
                "PYTHONDONTWRITEBYTECODE": "",
            }
            for name, command in commands(projects).items():
                cpu_s = measured(command, environment).cpu_s
                # The first turn writes the bytecode.
                if turn:
                    out.setdefault((version, name), []).append(cpu_s)
    return out


def rows_of(cpu_s: Mapping[tuple[str, str], Sequence[float]]) -> list[list[str]]:
    """A row for each version and command: least and median seconds, and ratios of the least to both references."""
    rows = []
    for (version, name), seconds in cpu_s.items():
        least = min(seconds)
        ratios = [least / min(cpu_s[version, reference]) for reference in (EMPTY, LIBRARIES)]
        rows.append(
            [version, f"`{name}`", f"{least:.2f}", f"{median(seconds):.2f}", *(f"{ratio:.2f}" for ratio in ratios)]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="runs of each command")
    parser.add_argument("--against", type=Path, help="folder `src` of another version")
    parser.add_argument("--recordings", type=int, default=400, help="recordings of the built project")
    parser.add_argument("--project", type=Path, help="measure `status` of this project instead of a built one")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, runs=1, recordings=10)
    sources = {"this version": SOURCE} | ({"the other": args.against.resolve()} if args.against else {})
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        built = args.project or built_project(scratch / "built", args.recordings)
        name = args.project.name if args.project else f"{args.recordings} recordings"
        projects = {"no recordings": empty_project(scratch / "empty"), name: built}
        cpu_s = processor_seconds(sources, projects, args.runs, scratch)
    head = ["version", "command", "CPU s, least", "CPU s, median", f"times `{EMPTY}`", f"times `{LIBRARIES}`"]
    text = f"""# Start-up

`benchmarks/bench_startup.py --runs {args.runs}`; {described(["typer", "rich", "numpy", "polars", "pydantic"])}

Processor seconds (user and system) of new processes, {args.runs} runs of each command in turn; bytecode is cached.
A busy machine raises all of them: read the ratios, and `--against` for another version in the same turns.

{table(head, rows_of(cpu_s))}
"""
    write_result("startup", text, args.out)


if __name__ == "__main__":
    main()
