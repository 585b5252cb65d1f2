"""Start-up: processor time of `ossicle --help`, `status` and `predict --help`, beside Python alone and two libraries.

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

from machine import HERE, RESULTS, described, table, write_result
from processes import measured
from smoke import parsed

SOURCE = HERE.parent / "src"
PROJECT = 'base = "recipe:tapes"\n[corpus]\naudio = "audio"\nannotations = "tables"\n'
EMPTY, LIBRARIES = "python -c pass", "python -c 'import numpy, polars'"


def commands(project: Path) -> dict[str, list[str]]:
    """The commands to measure, by the names in the table."""
    ossicle = [sys.executable, "-m", "ossicle"]
    return {
        EMPTY: [sys.executable, "-c", "pass"],
        LIBRARIES: [sys.executable, "-c", "import numpy, polars"],
        "ossicle --help": [*ossicle, "--help"],
        "ossicle predict --help": [*ossicle, "predict", "--help"],
        "ossicle status": [*ossicle, "status", "-p", str(project)],
    }


def processor_seconds(sources: Mapping[str, Path], runs: int, scratch: Path) -> dict[tuple[str, str], list[float]]:
    """Processor seconds of every run, by version and command."""
    project = scratch / "project"
    for name in ("audio", "tables"):
        (project / name).mkdir(parents=True)
    (project / "ossicle.toml").write_text(PROJECT)
    out: dict[tuple[str, str], list[float]] = {}
    for turn in range(runs + 1):
        for version, source in sources.items():
            environment = {
                "PYTHONPATH": str(source),
                "PYTHONPYCACHEPREFIX": str(scratch / "bytecode" / version),
                "PYTHONDONTWRITEBYTECODE": "",
            }
            for name, command in commands(project).items():
                cpu_s = measured(command, environment).cpu_s
                # The first turn writes the bytecode.
                if turn:
                    out.setdefault((version, name), []).append(cpu_s)
    return out


def rows_of(found: Mapping[tuple[str, str], Sequence[float]]) -> list[list[str]]:
    """A row for each version and command: least and median seconds, and ratios of the least to both references."""
    rows = []
    for (version, name), seconds in found.items():
        least = min(seconds)
        ratios = [least / min(found[version, reference]) for reference in (EMPTY, LIBRARIES)]
        rows.append(
            [version, f"`{name}`", f"{least:.2f}", f"{median(seconds):.2f}", *(f"{ratio:.2f}" for ratio in ratios)]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="runs of each command")
    parser.add_argument("--against", type=Path, help="folder `src` of another version")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parsed(parser, runs=1)
    sources = {"this version": SOURCE} | ({"the other": asked.against.resolve()} if asked.against else {})
    with tempfile.TemporaryDirectory() as folder:
        found = processor_seconds(sources, asked.runs, Path(folder))
    head = ["version", "command", "CPU s, least", "CPU s, median", f"times `{EMPTY}`", f"times `{LIBRARIES}`"]
    text = f"""# Start-up

`benchmarks/bench_startup.py --runs {asked.runs}`; {described(["typer", "rich", "numpy", "polars", "pydantic"])}

Processor seconds (user and system) of new processes, {asked.runs} runs of each command in turn; bytecode is cached.
A busy machine raises all of them: read the ratios, and `--against` for another version in the same turns.

{table(head, rows_of(found))}
"""
    write_result("startup", text, asked.out)


if __name__ == "__main__":
    main()
