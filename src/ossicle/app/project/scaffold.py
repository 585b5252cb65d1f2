"""``ossicle new``: a project file from a recipe and a look at the recordings."""

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ossicle.app.project.layers import recipe_names
from ossicle.app.project.load import PROJECT_FILE
from ossicle.artefacts.files import write_text
from ossicle.audio.probe import SUFFIXES
from ossicle.core.errors import SplitError, UsageError
from ossicle.corpus.discovery import files_below, shown
from ossicle.corpus.fields import infer_template
from ossicle.corpus.index import CorpusIndex, CorpusSettings, index_corpus

_RATES = (8000, 16000, 22050, 32000, 44100, 48000)
_BUILT_IN = ("recording", "folder")
# A training crop is one chunk: few frames make quick steps, and these hold several calls with what is around them.
_CORE_FRAMES, _CONTEXT_FRAMES = 200, 50
# What the least length of an event is chosen from, as shares of the shortest usual annotation.
_LENGTH_SHARES = (0.0, 0.3, 0.6, 0.9)


def scaffold(
    recipe: str,
    folder: Path,
    audio: Path,
    annotations: Path | None,
    group: str,
    name_template: str,
    folds: int,
    *,
    force: bool = False,
) -> Path:
    """Write ``ossicle.toml`` in ``folder``, with rate, band and frame hop that fit the annotations; returns its path.

    Raises UsageError for an unknown recipe, a missing folder, a project that is there already or a group that no name
    yields, SplitError where there is one group only.
    """
    if recipe not in recipe_names():
        raise UsageError(f"there is no recipe {recipe!r}; recipes: {', '.join(recipe_names())}")
    file = folder / PROJECT_FILE
    if file.exists() and not force:
        raise UsageError(f"{file} is there already; choose another folder, or --force to overwrite it")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder for the project")
    if folds == 1:
        raise UsageError("--folds 1 leaves nothing to train on; use 0 (each group held out once) or at least 2")
    if not audio.is_dir():
        raise UsageError(f"--audio {audio}: there is no such folder")
    if annotations is not None and not annotations.exists():
        raise UsageError(f"--annotations {annotations}: there is no such folder or file")
    if not name_template and group not in _BUILT_IN:
        name_template = _template(audio, group)
    settings = CorpusSettings(audio=str(audio), name_template=name_template, decode=False)
    index = index_corpus(audio, annotations, settings, group=group, workers=os.cpu_count() or 1)
    if annotations is not None and not any(one.reviewed for one in index.recordings):
        cut_outs = annotations.is_dir() and files_below(annotations, SUFFIXES)
        hint = "; segments cut out as audio are read by [corpus] segment_names: see docs/coming-from-scripts.md"
        raise UsageError(
            f"--annotations {annotations}: holds no table for any of the {len(index.recordings)} recordings "
            f"(Raven tables, Audacity labels, CSV, TSV or Parquet, named like the recordings){hint if cut_outs else ''}"
        )
    _require_groups(index, group, folds)
    write_text(file, _text(recipe, folder, audio, annotations, group, name_template, folds, index))
    return file


def _template(audio: Path, group: str) -> str:
    plain = index_corpus(audio, None, CorpusSettings(audio=str(audio), decode=False), workers=os.cpu_count() or 1)
    stems = [Path(one.path).with_suffix("").name for one in plain.recordings]
    found = infer_template(stems, group)
    if found is None:
        raise UsageError(
            f"--group {group}: no field of this name in file names like {stems[0]!r}; "
            f"say where it is with --name-template, as in 'site{{site}}_*', or group by {' or '.join(_BUILT_IN)}"
        )
    return found


def _require_groups(index: CorpusIndex, group: str, folds: int) -> None:
    groups = {one.fields[group] for one in index.recordings if one.reviewed}
    if index.annotations and len(groups) < max(2, folds):
        wanted = f"{folds} folds need at least as many" if folds else "holding each out once needs at least two"
        raise SplitError(
            f"grouping by {group!r} gives {len(groups)} annotated group(s): {wanted}; choose another --group"
        )


def _text(
    recipe: str,
    folder: Path,
    audio: Path,
    annotations: Path | None,
    group: str,
    template: str,
    folds: int,
    index: CorpusIndex,
) -> str:
    lines = [
        f'base = "recipe:{recipe}"',
        "",
        "[project]",
        f"name = {_quoted(_bundle_name(folder.resolve()))}",
        "",
        "[corpus]".ljust(24) + " # paths are relative to this file",
        f"audio = {_quoted(_relative(audio, folder))}",
        f"annotations = {_quoted(_relative(annotations, folder) if annotations else '')}",
    ]
    if template:
        lines.append(f"name_template = {_quoted(template)}")
    lines += ["", "[split]", f"group = {_quoted(group)}", _line("folds", folds, "0: each group is held out once"), ""]
    rate = _rate(index)
    lines += [f"# {len(index.recordings)} recordings, {len(index.annotations)} annotations", "[frontend]"]
    front = _front_end(index, rate)
    for key, (value, why) in front.items():
        lines.append(_line(key, value, why))
    hop_s = front["hop_samples"][0] / rate
    lines += ["", "[chunks]"]
    for key, frames in (("core_s", _CORE_FRAMES), ("context_s", _CONTEXT_FRAMES)):
        lines.append(_line(key, f"{frames * hop_s:.4g}", f"{frames} frames"))
    if index.annotations:
        shortest_s = _shortest_usual_s(index)
        values = ", ".join(f"{share * shortest_s:.3g}" for share in _LENGTH_SHARES)
        why = f"one in twenty annotations of the shortest label lasts less than {shortest_s:.2g} s"
        lines += ["", "[decision]", f"# {why}", f"min_length_s = [{values}]"]
    return "\n".join(lines) + "\n"


def _line(key: str, value: object, why: str) -> str:
    """A setting with what it comes from, comments one below the other."""
    return f"{key} = {value}".ljust(24) + f" # {why}"


def _bundle_name(folder: Path) -> str:
    """The nearest plain name to that of a folder.

    >>> _bundle_name(Path("Owls of the park (2026)"))
    'Owls-of-the-park-2026'
    """
    _require_text(folder.name)
    name = re.sub(r"[^A-Za-z0-9]*[^A-Za-z0-9._-]+[^A-Za-z0-9]*|\.{2,}", "-", folder.name)
    return name.strip("-._")[:100] or "detector"


def _rate(index: CorpusIndex) -> int:
    """The lowest usual rate that holds what is annotated, and no more than what was recorded."""
    recorded = max(one.rate for one in index.recordings)
    highs = [note.high_hz for note in index.annotations if note.high_hz]
    wanted = 2 * max(highs) if highs else 16000.0
    fitting = [rate for rate in _RATES if wanted <= rate <= recorded]
    return fitting[0] if fitting else recorded


def _front_end(index: CorpusIndex, rate: int) -> Mapping[str, tuple[int | float, str]]:
    lengths = sorted(note.end_s - note.start_s for note in index.annotations)
    median_s = lengths[len(lengths) // 2] if lengths else 0.1
    crowded = _crowded(index)
    hop_s = 0.005 if crowded else 0.01 if median_s < 0.4 else 0.02
    hop = 2 * round(hop_s * rate / 2)
    # A window blurs what is shorter than itself, so close neighbours need a short one.
    n_fft = 2 ** round(math.log2(rate * (0.015 if crowded else 0.03)))
    why = "neighbours of one class lie close" if crowded else f"the median annotation lasts {median_s:.2f} s"
    return {
        "rate": (rate, "Hz, from the highest annotated frequency"),
        "n_fft": (n_fft, f"{1000 * n_fft / rate:.0f} ms"),
        "hop_samples": (hop, f"{1000 * hop / rate:.1f} ms frames: {why}"),
        "fmax_hz": (rate / 2, "Hz"),
    }


def _shortest_usual_s(index: CorpusIndex) -> float:
    """The shortest that the annotations of a label usually are: 19 in 20 of every label last longer."""
    by_label: dict[str, list[float]] = {}
    for note in index.annotations:
        by_label.setdefault(note.label, []).append(note.end_s - note.start_s)
    return float(min(np.quantile(lengths, 0.05) for lengths in by_label.values()))


def _crowded(index: CorpusIndex) -> bool:
    """Whether more than one in twenty gaps between neighbours of one class is under 20 ms."""
    last: dict[tuple[str, str], float] = {}
    gaps = []
    for note in sorted(index.annotations, key=lambda one: (one.recording_id, one.start_s)):
        key = (note.recording_id, note.label)
        if key in last:
            gaps.append(note.start_s - last[key])
        last[key] = note.end_s
    return bool(gaps) and sum(gap < 0.02 for gap in gaps) > 0.05 * len(gaps)


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _quoted(text: str) -> str:
    _require_text(text)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\u{ord(one):04x}" if ord(one) < 32 or ord(one) == 127 else one for one in escaped) + '"'


def _require_text(text: str) -> None:
    if any(0xD800 <= ord(one) < 0xE000 for one in text):
        raise UsageError(f"{shown(text)}: this path is not valid UTF-8, which a project file cannot hold; rename it")
