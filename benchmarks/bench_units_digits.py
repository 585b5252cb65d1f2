"""Units of spoken digits: which digit a bag of units is, and ABX across speakers, each speaker held out in turn.

Bars: mean accuracy of logistic regression on the shares of units at least 0.70 over held-out speakers (the baseline's
units: 0.60, chance 0.10); ABX error across speakers of the frames before quantising at most 0.20, over 5,000 triples of
all takes (the baseline's frames: about 0.26). Answers to 200 triples are compared with a plain dynamic time warping.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from machine import RESULTS, described, table, write_result
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from smoke import parsed, recordings, require
from unit_features import METHODS, UNITS, Judged, Speech, judge, normalised, speech_of, with_interval

from ossicle.core.records import Annotation
from ossicle.metrics.units.abx import triple_errors
from ossicle.metrics.units.triples import draw_triples

BAR_ACCURACY, BAR_ABX = 0.70, 0.20
JUDGED = "mfcc, by speaker"
CHECKED_TRIPLES = 200


def read_speech(folder: Path, most: int) -> Speech:
    """Takes named DIGIT_SPEAKER_NUMBER with a number below ``most``; each is one word, the digit."""
    files = [path for path in sorted(folder.glob("*.wav")) if int(path.stem.split("_")[2]) < most]
    words = [Annotation(path.stem, 0.0, soundfile.info(path).duration, path.stem[0]) for path in files]
    return speech_of(files, lambda key: key.split("_")[1], words)


def accuracies(speech: Speech, outcome: Judged) -> dict[str, float]:
    """The accuracy for each held-out speaker of a classifier trained on the shares of units of the others."""
    out = {}
    for speaker, units in outcome.units.items():
        bags = {key: np.bincount(unit, minlength=UNITS) / len(unit) for key, unit in units.items()}
        train = [key for key in bags if speech.speakers[key] != speaker]
        held_out = [key for key in bags if speech.speakers[key] == speaker]
        model = LogisticRegression(max_iter=2000, C=10).fit([bags[key] for key in train], [key[0] for key in train])
        out[speaker] = float(model.score([bags[key] for key in held_out], [key[0] for key in held_out]))
    return out


def check_against_loops(frames: Sequence[NDArray[np.float32]], types: Sequence[int], speakers: Sequence[int]) -> None:
    """Compare the answers to some triples with those of three nested loops."""
    triples = draw_triples(np.array(types), np.array(speakers), CHECKED_TRIPLES, seed=1, across=True)
    fast = triple_errors(frames, triples)
    slow = [
        float(_warped(frames[a], frames[x]) > _warped(frames[b], frames[x]))
        for a, b, x in zip(triples.a, triples.b, triples.x, strict=True)
    ]
    require(len(fast) == CHECKED_TRIPLES and bool((fast == slow).all()), "ABX answers equal those of plain loops")


def _warped(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    units = [
        frames.astype(float) / np.linalg.norm(frames.astype(float), axis=1, keepdims=True) for frames in (first, second)
    ]
    angle = np.arccos(np.clip(units[0] @ units[1].T, -1, 1)) / np.pi
    cost = np.full((len(first) + 1, len(second) + 1), np.inf)
    cost[0, 0] = 0
    for i in range(len(first)):
        for j in range(len(second)):
            cost[i + 1, j + 1] = angle[i, j] + min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
    return float(cost[-1, -1] / (len(first) + len(second)))


def main() -> None:
    """Measure, and leave the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=50, help="takes of each digit by each speaker")
    parser.add_argument("--resamples", type=int, default=1000, help="resamples of the intervals")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS), metavar="METHOD")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    args = parsed(parser, resamples=20, methods=[JUDGED])
    folder = recordings("spoken_digits", args)
    if folder is None:
        return
    speech = read_speech(folder, args.most)
    rows, judged = [], {}
    for method in args.methods:
        found = judge(speech, method, args.resamples)
        judged[method] = found, accuracies(speech, found)
        share = list(judged[method][1].values())
        of_units = [fold.abx["abx_across"].error.value for fold in found.folds.values()]
        rows.append(
            [
                method,
                f"{np.mean(share):.3f}",
                ", ".join(f"{name} {value:.2f}" for name, value in judged[method][1].items()),
                *(with_interval(frame.error) for frame in found.frames.values()),
                f"{found.frames['abx_across'].shuffled:.3f}",
                f"{np.mean(of_units):.3f} ({min(of_units):.3f} to {max(of_units):.3f})",
            ]
        )
    make, normalisation = METHODS[JUDGED]
    frames = normalised(make(speech), speech.speakers, str(normalisation))
    names = speech.held_out
    check_against_loops(
        list(frames.values()), [int(key[0]) for key in frames], [names.index(speech.speakers[key]) for key in frames]
    )
    lines = [
        "# Units of spoken digits\n",
        f"{len(speech.files)} takes of 10 digits by {len(names)} speakers, each held out in turn, {UNITS} units.",
        "Accuracy of a bag of units (chance 0.10), and ABX errors over 5,000 triples each, with intervals over digits.",
        "ABX of units: mean, least and largest of the speakers.",
        f"{CHECKED_TRIPLES} answers of ABX equal those of plain loops.\n",
        table(
            ["features", "accuracy", "by held-out speaker", "ABX of frames, within", "across", "shuffled",
             "ABX of units, across"],
            rows,
        ),
        "",
        verdict(*judged[JUDGED]) if JUDGED in judged else f"The bars are about {JUDGED!r}, which was not measured.",
        "",
        described(["numpy", "scikit-learn"]),
    ]  # fmt: skip
    write_result("units-digits", "\n".join(lines), args.out)


def verdict(outcome: Judged, share: dict[str, float]) -> str:
    """Whether the bars are met, in words."""
    accuracy, error = float(np.mean(list(share.values()))), outcome.frames["abx_across"].error
    met = accuracy >= BAR_ACCURACY and error.value <= BAR_ABX
    return (
        f"Bars ({JUDGED}): accuracy {accuracy:.3f} (at least {BAR_ACCURACY:.2f}), ABX across speakers "
        f"{with_interval(error)} (at most {BAR_ABX:.2f}): {'met' if met else 'missed'}."
    )


if __name__ == "__main__":
    main()
