"""What verification counts in one block of a manifest."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ossicle.corpus.manifest.byte_blocks import BLOCK_BYTES, line_chunks
from ossicle.corpus.manifest.decoding import MOST_BAD_LINES, BadLine, Decoded, decode
from ossicle.corpus.manifest.event_fields import (
    PlacedComponent,
    PlacedEvent,
    name_fault,
    order_fault,
    path_fault,
    window_s,
)


@dataclass(slots=True)
class Place:
    """Events of one recording, and the milliseconds of their windows; ``fault`` says why its path cannot be used."""

    events: int = 0
    ms: float = 0.0
    fault: str = ""


@dataclass(slots=True)
class BlockTally:
    """Counts of one block.

    ``places``: by source and path. ``labels``: components by label. ``negatives``: events marked as negative examples,
    whose components do not count. ``without_components``: other events without a component. ``bad``: the first bad
    lines of ``n_bad``, with their numbers in the block.
    """

    n_lines: int = 0
    n_events: int = 0
    negatives: int = 0
    without_components: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    bad: list[BadLine] = field(default_factory=list)
    n_bad: int = 0

    def add_bad(self, lines: list[BadLine]) -> None:
        """Count bad lines, and keep the first."""
        self.n_bad += len(lines)
        self.bad += lines[: MOST_BAD_LINES - len(self.bad)]


def tally_block(
    file: Path, block: int, block_bytes: int = BLOCK_BYTES, *, skip_bad: bool = False, limit: int = 0
) -> BlockTally:
    """Count one block of a manifest.

    Parameters
    ----------
    file
        The manifest.
    block, block_bytes
        Number of the block, from 0, and the size of blocks.
    skip_bad
        Whether to go on after a bad line; otherwise the tally ends with the chunk of the first.
    limit
        Highest number of events to count; 0 counts all.

    Returns
    -------
    BlockTally
        The counts; lines are numbered from 1 in each block.
    """
    tally = BlockTally()
    for decoded in _decoded(file, block, block_bytes):
        done = 0 if limit or decoded.bad else _count_plain(tally, decoded.events)
        tally.n_events += done
        if done < len(decoded.events) or decoded.bad:
            _count(tally, decoded, done, limit)
        tally.n_lines += decoded.n_lines
        if (tally.n_bad and not skip_bad) or (limit and tally.n_events >= limit):
            break
    return tally


def _decoded(file: Path, block: int, block_bytes: int) -> Iterator[Decoded[PlacedEvent]]:
    decoder = msgspec.json.Decoder(PlacedEvent)
    first = 1
    for chunk in line_chunks(file, block, block_bytes):
        decoded = decode(decoder, chunk, first)
        first += decoded.n_lines
        yield decoded


def _count_plain(tally: BlockTally, events: list[PlacedEvent]) -> int:
    """Add events up to the first that needs a closer look, and return how many that were.

    This loop runs for millions of events, so it calls no function and makes no object, except where the recording
    changes or a label is new.
    """
    labels, places = tally.labels, tally.places
    source, path, recording_place = "", "", Place()
    done = since = 0
    ms = 0.0
    for event in events:
        offset_s, components, context = event.offset_time, event.components, event.context_ms
        if event.negative_example or not components or (offset_s is not None and offset_s < event.onset_time):
            break
        if event.audio_path != path or event.source_set != source:
            recording_place.events, recording_place.ms, since, ms = (
                recording_place.events + done - since,
                recording_place.ms + ms,
                done,
                0.0,
            )
            source, path = event.source_set, event.audio_path
            recording_place = _place(places, source, path)
        if recording_place.fault:
            break
        for component in components:
            try:
                labels[component.label] += 1
            except KeyError:
                if name_fault("label", component.label):
                    _uncount(labels, components, component)
                    break
                labels[component.label] = 1
        else:
            length_ms = context.pre + context.post or 1000 * window_s(context, event.duration_seconds)
            ms += len(components) * length_ms
            done += 1
            continue
        break
    recording_place.events, recording_place.ms = recording_place.events + done - since, recording_place.ms + ms
    return done


def _place(places: dict[tuple[str, str], Place], source: str, path: str) -> Place:
    """Return the place of a recording, made and checked where it is new."""
    recording_place = places.get((source, path))
    if recording_place is None:
        recording_place = places[source, path] = Place(fault=name_fault("source_set", source) or path_fault(path))
    return recording_place


def _uncount(labels: dict[str, int], components: list[PlacedComponent], until: PlacedComponent) -> None:
    """Take back the labels of the components before ``until``."""
    for component in components:
        if component is until:
            return
        labels[component.label] -= 1


def _count(tally: BlockTally, decoded: Decoded[PlacedEvent], begin: int, limit: int) -> None:
    """Add the events from number ``begin`` on, and find the bad ones among them."""
    labels, places, bad = tally.labels, tally.places, list(decoded.bad)
    left = limit - tally.n_events if limit else len(decoded.events)
    last = 0
    for number, event in zip(decoded.numbers[begin:], decoded.events[begin:], strict=True):
        if left <= 0:
            break
        recording_place = _place(places, event.source_set, event.audio_path)
        fault = recording_place.fault or order_fault(event.onset_time, event.offset_time)
        faults = (name_fault("label", component.label) for component in event.components)
        if fault := fault or next(filter(None, faults), ""):
            bad.append(BadLine(number, fault))
            continue
        if event.negative_example:
            tally.negatives += 1
        elif not event.components:
            tally.without_components += 1
        else:
            for component in event.components:
                labels[component.label] = labels.get(component.label, 0) + 1
            recording_place.ms += len(event.components) * 1000 * window_s(event.context_ms, event.duration_seconds)
        tally.n_events += 1
        recording_place.events += 1
        left -= 1
        last = number
    if limit and left <= 0:
        # Lines after the last event that was asked for are not read.
        bad = [bad_line for bad_line in bad if bad_line.line < last]
    tally.add_bad(sorted(bad, key=lambda bad_line: bad_line.line))
