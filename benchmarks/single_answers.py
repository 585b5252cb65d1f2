"""One answer for each onset: what single-label scripts report where several drums are struck at once."""

from collections.abc import Sequence
from dataclasses import replace

from ossicle.core.tracks import Event


def single_answers(events: Sequence[Event], within_s: float) -> list[Event]:
    """Return the highest-scored of the events that start at most ``within_s`` after the first of them.

    Parameters
    ----------
    events
        Events of one recording.
    within_s
        Longest time after the first start, in seconds.
    """
    kept: list[Event] = []
    begun_s = float("-inf")
    for event in sorted(events, key=lambda one: one.start_s):
        if event.start_s - begun_s > within_s + 1e-9:
            begun_s = event.start_s
            kept.append(event)
        elif event.score > kept[-1].score:
            kept[-1] = replace(event)
    return kept
