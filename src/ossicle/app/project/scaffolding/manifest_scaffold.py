"""``ossicle new drums --manifest``: a project file for hits that a manifest of events lists."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ossicle.app.project.layers import recipe_values
from ossicle.app.project.scaffolding.clip_scaffold import front_end_lines
from ossicle.app.project.scaffolding.hit_folders import DrumLabels, drum_labels, reads_hit_folders
from ossicle.app.project.scaffolding.scaffold import new_project_file, project_lines, relative_path
from ossicle.app.project.scaffolding.toml_lines import line, quoted, refuse_controls
from ossicle.app.project.scaffolding.variant_lines import variant_lines
from ossicle.artefacts.files import write_text
from ossicle.artefacts.filesystem.reading import what_is_at
from ossicle.artefacts.roots import Roots, roots_of_environment
from ossicle.audio.probe import probe
from ossicle.core.errors import AudioError, UsageError
from ossicle.core.text.suggestion import did_you_mean
from ossicle.corpus.manifest.verification import Verification, verify_manifest

GROUPS = ("session", "drummer", "kit", "source")
"""Fields that a manifest gives its recordings, one of which no split divides."""
BEFORE_S, AFTER_S = 0.08, 0.2
_WINDOW_S = 0.28
_HOP_SAMPLES = 256
"""Of the front end at the rate of the recipe."""
_STEP_S = 0.02
MERGE_S = 0.02
ONSETS = "preset:drum_onsets"
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class ManifestWishes:
    """User options of ``ossicle new`` with a manifest.

    ``roots``: folders of recordings by source; ``audio_root``: that of the other sources (default: the manifest's
    folder). ``group``: one of :data:`GROUPS`; ``limit``: highest number of events, 0 for all; ``skip_bad``: leave out
    lines that are no events.
    """

    manifest: Path
    audio_root: Path | None = None
    roots: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    group: str = ""
    limit: int = 0
    skip_bad: bool = False

    @property
    def default_root(self) -> Path:
        """The folder of all sources without one of their own."""
        return self.manifest.parent if self.audio_root is None else self.audio_root


def scaffold_manifest(
    recipe: str,
    folder: Path,
    wishes: ManifestWishes,
    *,
    force: bool = False,
    workers: int = 1,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write ``ossicle.toml`` for a manifest, after counting its events and looking for their recordings.

    Parameters
    ----------
    recipe, folder, force
        As in :func:`ossicle.app.project.scaffolding.scaffold.scaffold`.
    wishes
        The user's options.
    workers
        Number of processes that read the manifest.
    say
        Gets a line for each thing that was found.

    Returns
    -------
    Path
        The project file.

    Raises
    ------
    UsageError
        The recipe reads no manifests, a file or folder is missing, the project exists, the group is unknown, or the
        manifest holds no events.
    FormatError
        A line of the manifest is no event, and ``wishes.skip_bad`` is not set.
    """
    file = new_project_file(recipe, folder, force=force)
    values = recipe_values(recipe)
    if not reads_hit_folders(values):
        raise UsageError(f"--manifest {wishes.manifest}: the recipe {recipe!r} reads no manifest of events; use drums")
    _require(wishes)
    group = wishes.group or GROUPS[0]
    if group not in GROUPS:
        raise UsageError(f"--group {group}: a manifest has no such field; {did_you_mean(group, GROUPS)}")
    roots = Roots(wishes.roots, [wishes.default_root], roots_of_environment(os.environ))
    verification = verify_manifest(
        wishes.manifest, roots, limit=wishes.limit, skip_bad=wishes.skip_bad, workers=workers
    )
    if not verification.n_events:
        raise UsageError(f"--manifest {wishes.manifest}: holds no events; check that it is the right file")
    write_text(file, _text(recipe, folder, wishes, group, values, verification, roots))
    for text in _in_words(verification, group):
        say(text)
    return file


def _require(wishes: ManifestWishes) -> None:
    """Reject missing files and folders, and names that no project file may hold."""
    named = [("manifest", wishes.manifest), ("audio-root", wishes.audio_root)]
    named += [(f"audio-root-map {source}", folder) for source, folders in wishes.roots.items() for folder in folders]
    refuse_controls(named)
    if not wishes.manifest.is_file():
        raise UsageError(f"--manifest {wishes.manifest}: {what_is_at(wishes.manifest)}; give a file")
    for option, path in named[1:]:
        if path is not None and not path.is_dir():
            raise UsageError(f"--{option} {path}: {what_is_at(path)}; give a folder")


def _in_words(verification: Verification, group: str) -> list[str]:
    """Return what the manifest holds, one line each."""
    most = sorted(verification.labels.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{label} {n}" for label, n in most[:_MOST_NAMED])
    more = f" and {len(most) - _MOST_NAMED} more" if len(most) > _MOST_NAMED else ""
    lines = [
        f"manifest: {verification.n_events} events of {len(verification.sources)} sources",
        f"label: that of each component ({len(most)}: {named}{more})",
        f"group: {group}; no split divides it",
    ]
    lines += [
        f"{name}: {source.events} events in {source.recordings} recordings, {source.missing_recordings} of them missing"
        for name, source in sorted(verification.sources.items())
    ]
    lines += _drums(verification).in_words()
    if verification.n_bad:
        lines.append(
            f"left out: {verification.n_bad} lines that are no events (first: line {verification.bad[0].line})"
        )
    return lines


def _drums(verification: Verification) -> DrumLabels:
    """Return names for the labels; which session has which is not known, so any two may be of one kit."""
    return drum_labels(dict.fromkeys(verification.labels, ("",)))


def _text(
    recipe: str,
    folder: Path,
    wishes: ManifestWishes,
    group: str,
    values: Mapping[str, Any],
    verification: Verification,
    roots: Roots,
) -> str:
    lines = [
        *project_lines(recipe, folder),
        f"audio = {quoted(relative_path(wishes.default_root, folder))}",
        f"manifest = {quoted(relative_path(wishes.manifest, folder))}",
        line("manifest_total", verification.n_events, "events when this file was written"),
    ]
    if wishes.limit:
        lines.append(f"limit = {wishes.limit}")
    if wishes.skip_bad:
        lines.append(line("skip_bad", "true", "lines that are no events are left out and counted"))
    lines += [
        line("label_field", '""', "labels and fields come from the events, not from folders"),
        'name_template = ""',
    ]
    if renamed := _drums(verification).label_map:
        lines.append(f"label_map = [{', '.join(map(quoted, renamed))}]")
    if wishes.roots:
        lines += ["", "[roots]".ljust(24) + " # folders of each source, searched in this order, before audio"]
        for source, folders in sorted(wishes.roots.items()):
            listed = ", ".join(quoted(relative_path(audio_folder, folder)) for audio_folder in folders)
            lines.append(f"{quoted(source)} = [{listed}]")
    lines += [
        "",
        "[split]",
        line("strategy", '"hashed"', "train, val and test by the hash of the group: none moves when others are added"),
        f"group = {quoted(group)}",
        "",
        "[dataset]",
        line("before_s", BEFORE_S, "a target is a window around the onset"),
        f"after_s = {AFTER_S}",
        line("merge_s", MERGE_S, "hits struck together are one target with several labels"),
        "",
        f"# {verification.n_events} events, {len(verification.labels)} labels",
        "[frontend]",
        *_front_end(_rates(verification, roots) or [values["frontend"]["rate"]], values),
        "",
        "[chunks]",
        f"core_s = {_WINDOW_S}",
        line("window_s", _WINDOW_S, "the window around the onset"),
        line("step_s", _STEP_S, "whole recordings are read in steps of about this length"),
        "exact_step = false",
        "",
        "[model]",
        line("networks", 1, "more take more time, and gain most with few hits"),
        "",
        "[model.window]",
        line("scores", '"sigmoid"', "several hits may sound at once, and mostly there is none"),
        "",
        "[augment]",
        line("noise_share", 0.125, "silence between hits"),
        "",
        "[training]",
        line("steps_per_epoch", 1000, "0: one pass through all hits"),
        *variant_lines(recipe),
        "[variants.onsets]       # when each drum is struck, in whole recordings; for predict --format midi",
        f"base = {quoted(ONSETS)}",
    ]
    return "\n".join(lines) + "\n"


def _front_end(rates: Sequence[int], values: Mapping[str, Any]) -> list[str]:
    """Return the lines of the front end of a recipe, with a hop that is fine enough for onsets in long recordings."""
    front = {**values["frontend"], "hop_samples": _HOP_SAMPLES}
    lines = front_end_lines(rates, {"frontend": front})
    if not any(text.startswith("hop_samples") for text in lines):
        lines.append(line("hop_samples", _HOP_SAMPLES, f"{1000 * _HOP_SAMPLES / front['rate']:.1f} ms"))
    return lines


def _rates(verification: Verification, roots: Roots, most: int = 200) -> list[int]:
    """Return the sample rates of at most ``most`` recordings that exist, spread over all of them."""
    existing = verification.existing()
    rates = []
    for source, path in existing[:: max(1, -(-len(existing) // most))]:
        file = roots.find(source, path)
        try:
            if file is not None:
                rates.append(probe(file).rate)
        except (AudioError, OSError):
            # It is listed by `ossicle check`, and left out by a run.
            continue
    return rates
