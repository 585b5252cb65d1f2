"""What makes scores of states hold at other levels, tried on pieces of recordings that were held out.

Each part of the day by itself: its recordings are cut into three pieces, heads are trained on two, and judged in scenes
that are spliced from the third, at five levels. Levels are changed by moving the values of the embeddings that a level
moves, which is the same as a gain, the floor of the spectrogram apart. One rule serves all rows, so that they differ by
their scores only: on 0.9, off 0.1, median of 3. *Wrong windows* is half the sum of the shares of wrong windows in on
and off, at a score of 0.5, from 1 s after a switch to 1 s before the next.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from appliance_scenes import LABELS, MASKS, PARTS, ApplianceScene, make_scene, read_recordings
from bench_states import RATE, WITHIN_S, Embeddings, encoded, plan_of, reported, scores_of, trained_head
from followed_levels import following, level_model
from machine import RESULTS, described, table, write_result
from numpy.typing import NDArray
from smoke import parsed, recordings

from ossicle.audio.encoders.acoustic import BLOCKS, level_direction
from ossicle.audio.encoders.copies import Copy
from ossicle.audio.encoders.feature_settings import CopySettings
from ossicle.core.decisions.states import ON, UNKNOWN, StateDecision, StateRule
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.scores.level_settings import LevelSettings
from ossicle.inference.states.frames import first_full_frame, frame_centre_s
from ossicle.metrics.states.switches import switch_figures
from ossicle.models.heads.head import Head

PIECES = 3
LEVELS_DB = (-6.0, -3.0, 0.0, 3.0, 6.0)
STRETCH_S, LEAST, FIRST = (20.0, 70.0), 8, 500
RULE = StateRule(on=0.9, off=0.1, smoothing="median", frames=3)
AWAY_S = 1.0
DIRECTION = level_direction().astype(np.float32)
LEVELS = BLOCKS["levels"]
HEAD = ["part of the day", "scores", "wrong windows", "found in 3 s", "false an hour", "time wrong", "median delay, s"]

Scores = NDArray[np.float32]
Scoring = Callable[[Embeddings], Scores]
Piece = tuple[ApplianceScene, Embeddings]


class Material:
    """The embeddings of one part of the day: pieces of its recordings, with copies, and scenes of each piece."""

    def __init__(self, folder: Path, part: str, plan: ChunkPlan, seconds: float, copies: int, numbers: int) -> None:
        sounds = {key: recording for key, recording in read_recordings(folder, RATE).items() if key[0] == part}
        self.truth = {f"{ac:d}{fridge:d}": (ac, fridge) for _, ac, fridge in sounds}
        self.steady: dict[tuple[str, int], list[Embeddings]] = {}
        self.scenes: dict[int, list[Piece]] = {}
        least = LEAST if seconds >= 600 else 1
        for piece in range(PIECES):
            cut = {key: np.array_split(sound, PIECES)[piece] for key, sound in sounds.items()}
            for (_, ac, fridge), samples in cut.items():
                name = f"{ac:d}{fridge:d}"
                changes = [Copy(f"{part}-{name}-{piece}", k + 1, RATE, CopySettings()) for k in range(copies)]
                self.steady[name, piece] = [encoded(samples, plan, copy) for copy in (None, *changes)]
            scenes = [
                make_scene(cut, part, FIRST + piece + 10 * number, RATE, seconds, 0.0, least, STRETCH_S)
                for number in range(numbers)
            ]
            self.scenes[piece] = [
                (replace(scene, samples=np.zeros(0, np.float32)), encoded(scene.samples, plan)) for scene in scenes
            ]

    def training(self, held_out: int, copies: int) -> dict[str, list[Embeddings]]:
        """The embeddings of the other pieces by name, with so many copies of each."""
        pieces = [piece for piece in range(PIECES) if piece != held_out]
        return {
            name: [embeddings for piece in pieces for embeddings in self.steady[name, piece][: copies + 1]]
            for name in self.truth
        }


def shaped(embeddings: Embeddings) -> Embeddings:
    """Embeddings whose levels are relative to the mean of the window's own: they do not change with the level."""
    out = embeddings.copy()
    level = embeddings[..., : LEVELS // 7 * 6].mean(axis=-1, keepdims=True)
    return out - level * DIRECTION


def followed(head: Head, training: dict[str, list[Embeddings]], material: Material, share: float) -> Scoring:
    """Scores that follow the level, with class models of the training recordings as they are."""
    level_settings = LevelSettings(share=share)
    return following(head, level_model(training, material.truth, level_settings), level_settings, PLAN.hop_s)


PLAN = plan_of(2.0, 0.5)


def scorings(material: Material, held_out: int, seed: int, copies: int) -> dict[str, tuple[Scoring, bool]]:
    """What is tried, by name, each with whether it is told the level."""
    plain, more = material.training(held_out, 0), material.training(held_out, copies)
    heads = {
        "recordings as they are": trained_head(plain, material.truth, seed),
        "and copies up to 6 dB": trained_head(more, material.truth, seed),
    }
    shapes = {name: [shaped(embeddings) for embeddings in own] for name, own in plain.items()}
    shape = trained_head(shapes, material.truth, seed)
    out: dict[str, tuple[Scoring, bool]] = {}
    for name, head in heads.items():
        out[name] = (lambda x, head=head: scores_of(head, x), False)
        out[f"{name}, the level known"] = (lambda x, head=head: scores_of(head, x), True)
        out[f"{name}, the level followed"] = (followed(head, plain, material, 0.0), False)
        out[f"{name}, followed, with class models"] = (followed(head, plain, material, LevelSettings().share), False)
    any_head = heads["recordings as they are"]
    out["class models alone, followed"] = (followed(any_head, plain, material, 1.0), False)
    out["shape of the spectrum alone"] = (lambda x: scores_of(shape, shaped(x)), False)
    return out


def wrong_windows(scene: ApplianceScene, scores: Scores) -> list[float]:
    """Half the sum of the shares of wrong windows in on and off, for each label."""
    frames = range(first_full_frame(PLAN), first_full_frame(PLAN) + len(scores))
    times = np.array([frame_centre_s(PLAN, frame) for frame in frames])
    out = []
    for column, label in enumerate(LABELS):
        shares = {True: [0, 0], False: [0, 0]}
        for state_stretch in scene.truth:
            if state_stretch.label == label and state_stretch.state != UNKNOWN:
                inside = (times >= state_stretch.start_s + AWAY_S) & (times < state_stretch.end_s - AWAY_S)
                on = state_stretch.state == ON
                shares[on][0] += int(((scores[inside, column] >= 0.5) != on).sum())
                shares[on][1] += int(inside.sum())
        out.append(sum(wrong / max(1, n) for wrong, n in shares.values()) / 2)
    return out


def row(part: str, name: str, judged: Sequence[tuple[ApplianceScene, Scores]]) -> list[str]:
    """One line of the table: all scenes of a part of the day."""
    decision = StateDecision(dict.fromkeys(LABELS, RULE), MASKS, LABELS)
    figures = switch_figures(
        [reported(recording, scores, decision, PLAN) for recording, scores in judged], LABELS, WITHIN_S, 1
    )
    windows = np.mean([wrong_windows(recording, scores) for recording, scores in judged], axis=0)
    label_figures = [figures[label] for label in LABELS]
    return [
        part,
        name,
        "; ".join(f"{window:.3f}" for window in windows),
        "; ".join(f"{figure.found.value:.2f}" for figure in label_figures),
        "; ".join(f"{figure.false_per_hour.value:.0f}" for figure in label_figures),
        "; ".join(f"{figure.wrong.value:.3f}" for figure in label_figures),
        "; ".join(f"{figure.delay_median_s:.2f}" for figure in label_figures),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0, help="length of a scene")
    parser.add_argument("--scenes", type=int, default=1, help="scenes of each piece, each at every level")
    parser.add_argument("--copies", type=int, default=2, help="augmented copies of each piece for training")
    parser.add_argument("--pieces", type=int, default=PIECES, help="how many of the pieces are held out, in turn")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="seeds of the heads")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, seconds=60.0, copies=1, pieces=1, seeds=[0])
    folder = recordings("appliances", args)
    if folder is None:
        return
    torch.set_num_threads(1)
    rows = []
    for part in PARTS:
        material = Material(folder, part, PLAN, args.seconds, args.copies, args.scenes)
        judged: dict[str, list[tuple[ApplianceScene, Scores]]] = {}
        for seed in args.seeds:
            for piece in range(args.pieces):
                for name, (scores, known) in scorings(material, piece, seed, args.copies).items():
                    for scene, embeddings in material.scenes[piece]:
                        levels = np.zeros(len(LEVELS_DB)) if known else LEVELS_DB
                        judged.setdefault(name, []).extend(
                            (
                                replace(scene, name=f"{scene.name}-{level:g}-{seed}"),
                                scores(embeddings + level * DIRECTION),
                            )
                            for level in np.float32(levels)
                        )
        rows += [row(part, name, outcome) for name, outcome in judged.items()]
    text = [
        "# States of appliances: scores at other levels, on held-out pieces",
        "",
        described(["numpy", "torch"]),
        "",
        f"{args.scenes * args.pieces} scenes of {args.seconds / 60:g} minutes for each part of the day at levels of "
        f"{', '.join(f'{level_db:g}' for level_db in LEVELS_DB)} dB, {args.copies} copies, seeds of the heads "
        f"{', '.join(map(str, args.seeds))}. Windows of 2 s every 0.5 s, `acoustic`. Cells: air conditioner; fridge.",
        "",
        table(HEAD, rows),
        "",
        "Run: `python benchmarks/bench_state_trials.py`.",
    ]
    write_result("state-trials", "\n".join(text), args.out)


if __name__ == "__main__":
    main()
