"""The health of a manifest: figures and gates of its events, before anything is imported, without reading audio."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ossicle.app.project.layers import Layers, Origin, add_overrides
from ossicle.app.project.load import Project, check
from ossicle.app.steps.engine.step import Progress
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.label_map import parse_label_map
from ossicle.corpus.health.gates.comparison import EarlierReport
from ossicle.corpus.health.gates.judgement import HealthJudgement, judge_health
from ossicle.corpus.health.gates.manifest_columns import ManifestCollector
from ossicle.corpus.health.gates.settings import HealthSettings
from ossicle.corpus.health.gates.totals import Total
from ossicle.corpus.manifest.byte_blocks import block_count
from ossicle.corpus.manifest.decoding import MOST_BAD_LINES, BadLine
from ossicle.corpus.manifest.event_blocks import manifest_blocks


@dataclass(frozen=True)
class ManifestLimits:
    """What a manifest is judged by.

    Attributes
    ----------
    settings
        The limits.
    label
        Returns the name of a label, from the label map of a project; None to keep labels as they are written.
    source
        Where the limits are from, in words.
    total
        How many events the manifest should have; 0 if that is not known.
    skip_bad
        Leave out bad lines instead of raising an error for the first.
    """

    settings: HealthSettings
    label: Callable[[str], str] | None = None
    source: str = "the defaults and --set"
    total: int = 0
    skip_bad: bool = False


@dataclass(frozen=True)
class ManifestHealth:
    """The health of a manifest: its judgement, how many lines it has, and the first bad lines of ``n_bad``."""

    manifest: Path
    limits: ManifestLimits
    judgement: HealthJudgement
    n_lines: int
    n_bad: int = 0
    bad: tuple[BadLine, ...] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        """Return plain values: those of the manifest, then those of the judgement."""
        return {
            "manifest": self.manifest.name,
            "limits": self.limits.source,
            "lines": self.n_lines,
            "bad_lines": {
                "count": self.n_bad,
                "first": [{"line": bad_line.line, "reason": bad_line.reason} for bad_line in self.bad],
            },
            **self.judgement.to_json(),
        }


def project_limits(project: Project) -> ManifestLimits:
    """Return the limits of a project, with its label map and what it says of its manifest."""
    corpus = project.settings.corpus
    names = parse_label_map(corpus.label_map, "corpus.label_map")
    return ManifestLimits(
        project.settings.health, names.name, str(project.file), corpus.manifest_total, corpus.skip_bad
    )


def plain_limits(overrides: tuple[str, ...]) -> ManifestLimits:
    """Return the default limits with ``--set`` options; raises ProjectError for those that are no settings."""
    layers = Layers("without a project file")
    layers.add({"corpus": {"audio": "."}}, Origin("without a project file"))
    add_overrides(layers, overrides)
    return ManifestLimits(check(layers).health)


def manifest_health(
    manifest: Path,
    limits: ManifestLimits,
    progress: Progress,
    *,
    earlier: EarlierReport | None = None,
    workers: int = 1,
) -> ManifestHealth:
    """Read a manifest once, and judge its events.

    Parameters
    ----------
    manifest
        The manifest, JSON lines.
    limits
        What it is judged by.
    progress
        Gets the number of blocks that were read, and of all.
    earlier
        An earlier report to compare with.
    workers
        Number of processes that read.

    Raises
    ------
    UsageError
        The manifest is missing, or holds no event.
    OSError
        It cannot be read, or is not a regular file.
    FormatError
        A line is bad, and they are not to be left out; the message names it.
    """
    n_blocks = block_count(manifest)
    began = time.perf_counter()
    progress.begin("manifest")
    collector = ManifestCollector(limits.label)
    n_lines = n_events = n_bad = 0
    bad: list[BadLine] = []
    for number, block in enumerate(manifest_blocks(manifest, skip_bad=limits.skip_bad, workers=workers), start=1):
        collector.add(block.events)
        n_lines, n_events, n_bad = n_lines + block.n_lines, n_events + block.n_events, n_bad + block.n_bad
        bad += block.bad[: MOST_BAD_LINES - len(bad)]
        progress.advance(number, n_blocks, "blocks")
    progress.end("manifest", "computed", time.perf_counter() - began)
    if not n_events:
        reason = f"; the first of {n_bad} bad lines is line {bad[0].line}: {bad[0].reason}" if bad else ""
        raise UsageError(f"{manifest} holds no event{reason}; give a manifest, with one event a line in JSON")
    totals = [_total(n_events + n_bad, limits.total)] if limits.total else []
    judgement = judge_health(collector.columns(), limits.settings, totals, earlier, not_asked=("repeated_audio",))
    return ManifestHealth(manifest, limits, judgement, n_lines, n_bad, tuple(bad))


def _total(n_found: int, expected: int) -> Total:
    remedy = (
        f"the manifest has {n_found} events, not {expected}: copy it again from its source, or correct the stated total"
    )
    return Total("manifest_total", "events of the manifest, bad lines included", n_found, expected, remedy)
