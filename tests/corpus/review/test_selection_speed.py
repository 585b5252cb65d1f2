"""The choice of what to check equals the obvious one that compares all with all, and its time grows in proportion."""

import gc
import time
from collections.abc import Callable

import numpy as np
import pytest

from ossicle.core.records import Annotation, Recording
from ossicle.corpus.review.selection import KINDS, Candidate, Look, ReviewSettings, choose

from .choose_slowly import choose_slowly

LABELS = ("hum", "trill", "chirp")


def recordings(duration_s: float) -> list[Recording]:
    return [
        Recording("new", "tapes", "new.wav", 100, 1, int(duration_s * 100), "new", False),
        Recording("old", "tapes", "old.wav", 100, 1, int(duration_s * 100), "old", True),
    ]


def drawn(rng: np.random.Generator, n: int, duration_s: float) -> tuple[list[Annotation], list[Candidate]]:
    """Draw annotations and candidates; times on a grid of half seconds, so that many touch, agree or are equal."""

    def times() -> tuple[float, float]:
        start = rng.integers(0, int(2 * duration_s) - 8) / 2
        return float(start), float(start + rng.integers(0, 8) / 2)

    notes = [Annotation("old", *times(), str(rng.choice(LABELS)), quality=int(rng.integers(1, 4))) for _ in range(n)]
    candidates = []
    for _ in range(n):
        score = float(rng.integers(1, 20)) / 20
        key, label = str(rng.choice(["new", "old"])), str(rng.choice(LABELS))
        candidates.append(Candidate(key, *times(), label, score, 0.5, score >= 0.5))
    return notes, candidates


@pytest.mark.parametrize("seed", range(200))
def test_the_choice_equals_the_obvious_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    duration_s = float(rng.integers(10, 60))
    notes, candidates = drawn(rng, int(rng.integers(0, 40)), duration_s)
    examined = {"new": ((3.0, 6.0), (5.0, 9.0))} if seed % 3 == 0 else {}
    settings = ReviewSettings(
        select=tuple(KINDS)[: 1 + seed % 3], most=int(rng.integers(1, 60)), margin_s=float(rng.integers(0, 3))
    )
    arguments = (recordings(duration_s), notes, candidates, examined, settings, float(rng.choice([0.1, 0.5, 1.0])))
    assert choose(*arguments) == choose_slowly(*arguments)


Choice = Callable[..., dict[str, tuple[Look, ...]]]


def seconds(n: int, by: Choice = choose) -> tuple[float, dict[str, tuple[Look, ...]]]:
    """Processor seconds of a choice among n annotations and n candidates of one recording, and the choice.

    No garbage is collected meanwhile: how much of that falls into the choice depends on all tests before.
    """
    rng = np.random.default_rng(0)
    starts = np.sort(rng.uniform(0, 8 * n, size=2 * n)).round(3).tolist()
    # One annotation over the whole recording: no list of neighbours may hold everything for its sake.
    notes = [Annotation("old", start, start + 1.0, "hum") for start in starts[:n]]
    notes.append(Annotation("old", 0.0, 8.0 * n, "trill"))
    candidates = [Candidate("old", start + 0.2, start + 1.1, "hum", 0.9, 0.5, True) for start in starts[n:]]
    arguments = recordings(8.0 * n + 10), notes, candidates, {"old": ((1.0, 2.0),) * 100}, ReviewSettings(most=n)
    gc.disable()
    try:
        begun = time.process_time()
        chosen = by(*arguments)
        return time.process_time() - begun, chosen
    finally:
        gc.enable()


def test_twice_the_events_take_about_twice_as_long() -> None:
    # In turn, so that a busy machine slows both: 4.6 times as long for 4 times the events, where all with all takes 16.
    rounds = [(seconds(2_500)[0], seconds(10_000)[0]) for _ in range(4)]
    few, many = (min(times) for times in zip(*rounds, strict=True))
    assert many < 8 * few
    assert many < 5.0


def test_the_choice_is_far_below_the_obvious_one() -> None:
    # All with all takes (10,000 / 400)^2 = 625 times as long; the same run measures both, on the same busy machine.
    slow = min(seconds(400, choose_slowly)[0] for _ in range(2))
    assert seconds(10_000)[0] < slow * 625 / 10


def test_twenty_thousand_calls_and_candidates_of_one_recording_take_seconds() -> None:
    took, chosen = seconds(20_000)
    assert chosen
    assert took < 10.0
