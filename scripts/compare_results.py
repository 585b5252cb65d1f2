"""Prove that a change of the code changes no figure that a user sees: do the same work before and after, and compare.

    PYTHONPATH=/tmp/base/src python scripts/compare_results.py make /tmp/before
    python scripts/compare_results.py make /tmp/after
    python scripts/compare_results.py compare /tmp/before /tmp/after

``make`` runs the ossicle that this interpreter imports on the projects of ``results_to_compare.py``. ``compare``
asks for equal bits of scores, weights, sound and ONNX graphs, equal table rows, and equal figures in JSON and on
pages. It ignores clocks, digests and the names in the tables below. Exit code 1: a difference, or nothing to compare.
"""

import argparse
import html
import json
import re
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import polars as pl
from onnx import numpy_helper
from results_to_compare import make
from safetensors import safe_open

# Old name -> new name: of steps, of keys in JSON and TOML, of columns, and of files and folders.
RENAMED = {"gate": "noise_gate"}
# Files that artefacts have gained, by the end of their path: what is only after, and no difference.
GAINED = ("/dataset/labels.json",)
# Keys of JSON whose text may be worded anew, as "protocol.scores"; none yet. Figures are compared all the same.
REWORDED: frozenset[str] = frozenset()
# Keys of JSON that tell of clocks and of the machine, or give size and digest of files whose words may change.
UNTOLD = frozenset({"seconds", "training_s", "speed", "sha256", "CARD.md", "EXPORT.md", "export.json"})
# What clocks gave on pages: the section on the run in a report, the speeds at the ends of rows of EXPORT.md.
CLOCKS = re.compile(r'<h2 id="run">.*?</table>|\d{3,}\.\d \| \d+\.\d \|$', flags=re.DOTALL | re.MULTILINE)
# No results: logs, locks, and what an artefact was made from. What else a run leaves is compared.
LEFT_OUT = re.compile(r"/(tensorboard|logs)/|/([a-z]+\.)?(run|journal)\.jsonl$|/artefact\.json$|/\.|^made_with\.txt$")
# What a path is; the first that fits counts. Every project must have all of them.
KINDS = (
    ("score tracks", r"/tracks/[^/]+\.(npy|json)$"),
    ("predictions", r"/predict(ed|ions)/"),
    ("decisions, calibration", r"/(decision|threshold_curves|calibration|second_stage)\.json$"),
    ("tables of events", r"/(events\w*|rescored|first_stage|predictions)\.(parquet|csv)$"),
    ("metrics.json", r"/metrics\.json$"),
    ("weights, trees", r"\.safetensors$"),
    ("ONNX graphs", r"\.onnx$"),
    ("training curves", r"/(metrics\.jsonl|best_metrics\.json)$"),
    ("pages", r"\.(html|md|ipynb)$"),
    ("sound, store", r"\.(wav|flac|h5)$"),
    ("other tables", r"\.(parquet|csv|tsv|txt)$"),
    ("all else", r""),
)
PROJECTS = ("tapes", "birds", "demo")
SHOWN = 8
_DIGEST = re.compile(r"(?<![.\w])(?=[0-9]*[a-f])[0-9a-f]{16,64}(?!\w)")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e\\?[-+]?\d+)?")
_DATA = re.compile(r'"data:[^"]+"')

Artefact = dict[str, Path]


def results(folder: Path, projects: tuple[str, ...]) -> dict[str, list[Artefact]]:
    """The artefacts of each step, whatever their fingerprints, and the other files of each project as one of them."""
    found: dict[str, dict[str, Artefact]] = defaultdict(lambda: defaultdict(dict))
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name.split("/")[0] in projects and not LEFT_OUT.search(name):
            parts = [one.partition(".") for one in name.split("/")]
            name = "/".join(RENAMED.get(stem, stem) + dot + ending for stem, dot, ending in parts)
            artefact = re.fullmatch(r"(.*/data/[^/]+)/([0-9a-f]{12,})/(.*)", name)
            place, which, inside = artefact.groups() if artefact else (name.split("/")[0], "", name)
            found[place][which][f"{place}/{inside}" if artefact else inside] = path
    return {place: list(of.values()) for place, of in found.items()}


def named(value: Any) -> Any:
    """A value of JSON or TOML under new names."""
    if isinstance(value, dict):
        return {RENAMED.get(key, key): named(one) for key, one in value.items() if key not in UNTOLD}
    if isinstance(value, list):
        return [named(one) for one in value]
    return _DIGEST.sub("DIGEST", RENAMED.get(value, value)) if isinstance(value, str) else value


def walk(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Where two values differ; arrays by their bits, NaN equals NaN, and 1 is not 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            inside = f"{where}.{key}".removeprefix(".")
            only = [f"{inside}: only {'before' if key in one else 'after'}"]
            yield from walk(one[key], other[key], inside) if key in one and key in other else only
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield f"{where}: {len(one)} entries before, {len(other)} after"
        for place, (mine, theirs) in enumerate(zip_longest(one, other)):
            yield from walk(mine, theirs, f"{where}[{place}]")
    elif isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if (one.dtype, one.shape) != (other.dtype, other.shape):
            yield f"{where}: {one.dtype} {one.shape} before, {other.dtype} {other.shape} after"
        elif one.tobytes() != other.tobytes():
            apart = np.abs(one.astype(np.float64) - other.astype(np.float64))
            yield f"{where}: {np.count_nonzero(apart)} of {apart.size} values differ, at most by {apart.max():.3g}"
    else:
        worded = isinstance(one, str) and any(f".{where}".endswith(f".{key}") for key in REWORDED)
        if not (type(one) is type(other) and (worded or one == other or (one != one and other != other))):
            yield f"{where}: {str(one)[:100]!r} before, {str(other)[:100]!r} after"


def of_json(path: Path) -> Any:
    """What JSON, lines of JSON, TOML or the outputs of a notebook say."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return named([json.loads(line) for line in text.splitlines()])
    if path.suffix == ".ipynb":
        return named([one.get("outputs", []) for one in json.loads(text)["cells"]])
    return named(tomllib.loads(text) if path.suffix == ".toml" else json.loads(text))


def of_page(path: Path) -> list[str]:
    """The figures on a page or in printed text, and the pictures and sounds in it, in their order."""
    text = CLOCKS.sub("", path.read_text(encoding="utf-8"))
    inside = _DATA.findall(text)
    text = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL) if path.suffix == ".html" else text
    # Unescaped: an apostrophe is "&#39;" on a page, which is no figure.
    return [*_NUMBER.findall(_DIGEST.sub("", html.unescape(text))), *inside]


def of_table(path: Path) -> list[Any]:
    """The columns of a table with their types, and its rows in their order."""
    table = pl.read_parquet(path).rename(RENAMED, strict=False)
    return [{key: str(kind) for key, kind in table.schema.items()}, *table.to_dicts()]


def of_arrays(path: Path) -> dict[str, Any]:
    """The arrays of a score track, of safetensors with the text beside them, or of the initialisers of a graph."""
    if path.suffix == ".npy":
        return {"scores": np.load(path)}
    if path.suffix == ".onnx":
        return {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
    with safe_open(path, "numpy") as file:
        text = {key: named(json.loads(value)) for key, value in (file.metadata() or {}).items()}
        return text | {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


READERS = {
    **dict.fromkeys((".json", ".jsonl", ".toml", ".ipynb"), of_json),
    **dict.fromkeys((".html", ".md", ".out"), of_page),
    **dict.fromkeys((".npy", ".safetensors", ".onnx"), of_arrays),
    **dict.fromkeys((".csv", ".tsv", ".txt"), lambda path: path.read_text(encoding="utf-8").splitlines()),
    ".parquet": of_table,
}


@cache
def differences(one: Path, other: Path) -> tuple[str, ...]:
    """How two files differ in what counts; empty: they do not."""
    if one.read_bytes() == other.read_bytes():
        return ()
    if one.suffix not in READERS or one.suffix != other.suffix:
        return ("the bytes differ",)
    found = list(walk(READERS[one.suffix](one), READERS[one.suffix](other)))
    if one.suffix == ".onnx":
        found.insert(0, f"the bytes differ, the initialisers {'too' if found else 'do not'}")
    return tuple(found)


def paired(before: list[Artefact], after: list[Artefact]) -> Iterator[tuple[Artefact, Artefact]]:
    """Artefacts of one step side by side, those that differ least first; empty ones where one side has more."""

    def distance(pair: tuple[int, int]) -> int:
        mine, theirs = before[pair[0]], after[pair[1]]
        both = mine.keys() & theirs.keys()
        return sum(len(differences(mine[key], theirs[key])) for key in both) + 99 * len(mine.keys() ^ theirs.keys())

    left, right = set(range(len(before))), set(range(len(after)))
    for mine, theirs in sorted(((a, b) for a in left for b in right), key=distance):
        if mine in left and theirs in right:
            left.remove(mine)
            right.remove(theirs)
            yield before[mine], after[theirs]
    yield from ((before[one], {}) for one in left)
    yield from (({}, after[one]) for one in right)


def compare(before: Path, after: Path, projects: tuple[str, ...]) -> int:
    """Compare all there is, print a table and every difference; gives the exit code."""
    old, new = results(before, projects), results(after, projects)
    compared: Counter[tuple[str, str]] = Counter()
    differing: Counter[tuple[str, str]] = Counter()
    said: list[str] = []
    alone: tuple[list[tuple[str, Path]], list[tuple[str, Path]]] = ([], [])

    def judge(name: str, found: tuple[str, ...]) -> None:
        what = name.split("/")[0], next(kind for kind, pattern in KINDS if re.search(pattern, name))
        compared[what] += 1
        if found:
            differing[what] += 1
            more = [f"... and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
            said.extend([name, *(f"    {one}" for one in [*found[:SHOWN], *more])])

    for place in sorted({*old, *new}):
        for mine, theirs in paired(old.get(place, []), new.get(place, [])):
            for name in sorted({*mine, *theirs}):
                if name in mine and name in theirs:
                    judge(name, differences(mine[name], theirs[name]))
                else:
                    alone[name in theirs].append((name, mine.get(name) or theirs[name]))
    # A file that was called otherwise before is known by what it holds.
    for name, path in alone[0]:
        like = [of for of in alone[1] if of[0].split("/")[0] == name.split("/")[0] and not differences(path, of[1])]
        judge(name, () if like else ("only before",))
        if like:
            alone[1].remove(like[0])
            print(f"renamed: {name} -> {like[0][0]}")
    for name, _ in alone[1]:
        judge(name, () if name.endswith(GAINED) else ("only after",))
    for project in projects:
        missing = [kind for kind, _ in KINDS if not compared[project, kind]]
        said.extend(f"{project}: nothing to compare: {kind}" for kind in missing)
    print(f"{'project':8} {'what':24} {'compared':>8} {'differ':>8}")
    for (project, kind), count in sorted(compared.items()):
        print(f"{project:8} {kind:24} {count:8} {differing[project, kind]:8}")
    print(f"{'in all':33} {compared.total():8} {differing.total():8}")
    print("\n".join(["", *said]) if said else "all equal")
    return 1 if said else 0


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="do the work in a new folder")
    making.add_argument("folder", type=Path)
    comparing = commands.add_parser("compare", help="compare two folders that were made")
    for name in ("before", "after"):
        comparing.add_argument(name, type=Path)
    for one in (making, comparing):
        one.add_argument("--without-demo", action="store_true", help="leave out `ossicle demo`, which takes minutes")
    asked = parser.parse_args()
    if asked.command == "make":
        make(asked.folder, not asked.without_demo)
    else:
        sys.exit(compare(asked.before, asked.after, PROJECTS[:-1] if asked.without_demo else PROJECTS))


if __name__ == "__main__":
    main()
