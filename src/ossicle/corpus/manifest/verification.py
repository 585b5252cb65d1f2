"""Verify a manifest: count its events by source, and find out which recordings exist, without writing anything."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ossicle.artefacts.roots import Roots
from ossicle.corpus.formats.cells.rows import label_text
from ossicle.corpus.manifest.block_tally import BlockTally, tally_block
from ossicle.corpus.manifest.block_workers import in_order
from ossicle.corpus.manifest.byte_blocks import BLOCK_BYTES, block_count
from ossicle.corpus.manifest.decoding import MOST_BAD_LINES, BadLine, bad_line_error
from ossicle.corpus.manifest.event_fields import recording_path

MOST_EXAMPLES = 20
_S_PER_H = 3600


def _hours(seconds: float) -> float:
    """Return hours to a hundredth of a second: sums depend on the cut into blocks by less."""
    return round(seconds, 2) / _S_PER_H


@dataclass(slots=True)
class SourceCount:
    """Counts of one source: events, recordings, those without audio, and seconds of the windows of all events.

    ``examples``: paths of the first recordings without audio.
    """

    events: int = 0
    recordings: int = 0
    missing_events: int = 0
    missing_recordings: int = 0
    seconds: float = 0.0
    examples: list[str] = field(default_factory=list)

    @property
    def missing_share(self) -> float:
        """Share of the events whose audio is missing."""
        return self.missing_events / self.events if self.events else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "events": self.events,
            "recordings": self.recordings,
            "resolved_events": self.events - self.missing_events,
            "resolved_recordings": self.recordings - self.missing_recordings,
            "missing_events": self.missing_events,
            "missing_recordings": self.missing_recordings,
            "missing_share": self.missing_share,
            "missing_examples": self.examples,
            "expected_hours": _hours(self.seconds),
        }


@dataclass(slots=True)
class _Place:
    """One recording of a manifest: whether it exists, its events, and the seconds of their windows."""

    exists: bool
    events: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Verification:
    """What a manifest holds.

    ``labels``: components by label; negative examples do not count. ``bad``: the first bad lines of ``n_bad``.
    """

    n_lines: int = 0
    n_events: int = 0
    negatives: int = 0
    without_components: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    sources: dict[str, SourceCount] = field(default_factory=dict)
    bad: list[BadLine] = field(default_factory=list)
    n_bad: int = 0
    _places: dict[str, dict[str, _Place]] = field(default_factory=dict, repr=False)

    def over(self, max_missing: float) -> list[str]:
        """Return the sources of which more than a share of the events has no audio, sorted."""
        return sorted(name for name, source in self.sources.items() if source.missing_share > max_missing)

    def existing(self) -> list[tuple[str, str]]:
        """Return source and path of the recordings that exist, sorted."""
        return sorted(
            (name, path)
            for name, places_of_source in self._places.items()
            for path, known_place in places_of_source.items()
            if known_place.exists
        )

    def named(self) -> list[tuple[str, str]]:
        """Return source and path of all recordings that events name, sorted."""
        return sorted((name, path) for name, places_of_source in self._places.items() for path in places_of_source)

    def of(self, recordings: Collection[tuple[str, str]]) -> "Verification":
        """Return the counts with the sources of some recordings only, given by source and path.

        Lines, labels, negatives and bad lines stay those of the whole manifest.
        """
        chosen = replace(self, sources={}, _places={})
        for name, places in self._places.items():
            for path, known_place in places.items():
                if (name, path) in recordings:
                    known = chosen._new_place(name, path, known_place.exists)
                    chosen._count(chosen.sources[name], known, known_place.events, known_place.seconds)
        return chosen

    def to_json(self) -> dict[str, Any]:
        """Return plain values, with sources and labels by name."""
        return {
            "lines": self.n_lines,
            "events": self.n_events,
            "resolved_events": sum(source.events - source.missing_events for source in self.sources.values()),
            "missing_events": sum(source.missing_events for source in self.sources.values()),
            "negative_examples": self.negatives,
            "events_without_components": self.without_components,
            "expected_hours": _hours(sum(source.seconds for source in self.sources.values())),
            "labels": dict(sorted(self.labels.items())),
            "sources": {name: source_count.to_json() for name, source_count in sorted(self.sources.items())},
            "bad_lines": self.n_bad,
            "first_bad_lines": [{"line": bad_line.line, "reason": bad_line.reason} for bad_line in self.bad],
        }

    def add(self, tally: BlockTally, roots: Roots) -> None:
        """Add the counts of the next block, and look for the recordings that it names first."""
        self.n_bad += tally.n_bad
        room = MOST_BAD_LINES - len(self.bad)
        self.bad += [BadLine(self.n_lines + bad_line.line, bad_line.reason) for bad_line in tally.bad[:room]]
        self.n_lines += tally.n_lines
        self.n_events += tally.n_events
        self.negatives += tally.negatives
        self.without_components += tally.without_components
        for text, n in tally.labels.items():
            label = label_text(text)
            self.labels[label] = self.labels.get(label, 0) + n
        for (source, stated), counted_place in tally.places.items():
            if not counted_place.events:
                continue
            path = recording_path(stated)
            known_place = self._places.get(source, {}).get(path)
            if known_place is None:
                known_place = self._new_place(source, path, roots.holds(source, path))
            self._count(self.sources[source], known_place, counted_place.events, counted_place.ms / 1000)

    def _new_place(self, source: str, path: str, exists: bool) -> _Place:
        """Count a recording that was not named before, and return it without events."""
        count = self.sources.setdefault(source, SourceCount())
        count.recordings += 1
        if not exists:
            count.missing_recordings += 1
            count.examples += [path] if len(count.examples) < MOST_EXAMPLES else []
        known_place = self._places.setdefault(source, {})[path] = _Place(exists)
        return known_place

    @staticmethod
    def _count(count: SourceCount, known_place: _Place, events: int, seconds: float) -> None:
        """Count events of a recording."""
        known_place.events += events
        known_place.seconds += seconds
        count.events += events
        count.seconds += seconds
        count.missing_events += 0 if known_place.exists else events


def verify_manifest(
    file: Path,
    roots: Roots,
    *,
    limit: int = 0,
    skip_bad: bool = False,
    workers: int = 1,
    block_bytes: int = BLOCK_BYTES,
) -> Verification:
    """Count the events of a manifest, and look for their recordings.

    Only the fields that place an event, its labels and its numbers are checked here; the import checks all.

    Parameters
    ----------
    file
        The manifest.
    roots
        Where the recordings of each source are.
    limit
        Count only this many events, from the beginning; 0 counts all.
    skip_bad
        Count bad lines instead of raising an error for the first.
    workers
        Number of processes that read; a limit needs only one.
    block_bytes
        Size of the blocks in bytes.

    Returns
    -------
    Verification
        The counts, the same for any number of workers.

    Raises
    ------
    FormatError
        A line is no event and ``skip_bad`` is not set; the message names the line.
    OSError
        The manifest cannot be read, or is not a regular file.
    """
    verification = Verification()
    blocks = range(block_count(file, block_bytes))
    if limit:
        for block in blocks:
            left = limit - verification.n_events
            if left <= 0:
                break
            _add(
                verification,
                tally_block(file, block, block_bytes, skip_bad=skip_bad, limit=left),
                roots,
                file,
                skip_bad,
            )
        return verification
    work = partial(tally_block, file, block_bytes=block_bytes, skip_bad=skip_bad)
    for tally in in_order(work, blocks, min(workers, len(blocks))):
        _add(verification, tally, roots, file, skip_bad)
    return verification


def _add(verification: Verification, tally: BlockTally, roots: Roots, file: Path, skip_bad: bool) -> None:
    verification.add(tally, roots)
    if verification.bad and not skip_bad:
        raise bad_line_error(file, verification.bad[0])
