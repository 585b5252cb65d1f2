"""One answer for each onset: what single-label scripts report where several drums are struck at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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
    answers: list[Event] = []
    begun_s = float("-inf")
    for event in sorted(events, key=lambda one: one.start_s):
        if event.start_s - begun_s > within_s + 1e-9:
            begun_s = event.start_s
            answers.append(event)
        elif event.score > answers[-1].score:
            answers[-1] = replace(event)
    return answers


@dataclass(frozen=True, slots=True)
class OneAnswerBound:
    """Hits that are struck with others: how many, at how many onsets, and the F1 of one right answer for each onset."""

    n_hits: int
    n_onsets: int

    @property
    def f1(self) -> float:
        """Every answer is right, and all other hits are missed."""
        return 2 * self.n_onsets / max(self.n_hits + self.n_onsets, 1)


def one_answer_bound(recordings: Iterable[Sequence[float]], within_s: float) -> OneAnswerBound:
    """Return the best that one answer for each onset can reach on simultaneous hits.

    Parameters
    ----------
    recordings
        The times of all hits of each recording, in seconds.
    within_s
        Hits at most this long after the first of them are one onset.
    """
    n_hits = n_onsets = 0
    for times in recordings:
        together: list[list[float]] = []
        for time_s in sorted(times):
            if together and time_s - together[-1][0] <= within_s + 1e-9:
                together[-1].append(time_s)
            else:
                together.append([time_s])
        several = [hits for hits in together if len(hits) > 1]
        n_hits += sum(map(len, several))
        n_onsets += len(several)
    return OneAnswerBound(n_hits, n_onsets)
