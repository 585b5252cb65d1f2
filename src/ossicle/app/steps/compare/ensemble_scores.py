"""Out-of-fold scores of an ensemble: the members' scores combined, in place of the step ``scores``.

Some rules need a fit: weights for ``learned``, the reference set for ``rank``. The fit of each fold uses the
out-of-fold scores of the other folds. One more fit on all of them is for the bundle. The track of each recording uses
the fit without its fold.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from ossicle.app.steps.compare.ensemble_members import Member, member_scores
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.array_files.arrays import arrays_from_bytes, arrays_to_bytes
from ossicle.artefacts.array_files.blocks import write_track
from ossicle.artefacts.files import whole_file
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_regular
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import EnsembleScoresFolder, ScoresFolder
from ossicle.core.digest import seed_of
from ossicle.core.scores.combination import LEARNED, RANK, Combination
from ossicle.core.tracks import ScoreTrack, rasterise
from ossicle.evaluation.ground_truth import Truth, read_truth
from ossicle.inference.ensembles.combining import Scores, combine, rank_table
from ossicle.inference.ensembles.fit import Fit
from ossicle.inference.ensembles.weights import fitted_weights

STEP_VERSION = 1
FITTED = (LEARNED, RANK)
"""The rules that need a fit."""
_MOST_CELLS = {LEARNED: 1 << 20, RANK: 1 << 22}
"""The largest number of scores of a member that a fit reads; frames are sampled from larger corpora."""
_FINAL = "final"


def scores_step(members: Sequence[Member], combination: Combination, seed: int) -> Step:
    """Return the step in place of ``scores``: it reads only the members' scores, not their models."""
    return Step(
        name=EnsembleScoresFolder.step,
        version=STEP_VERSION,
        needs=("corpus", "dataset"),
        settings=lambda project: {
            "ensemble": {"members": [member.name for member in members], **asdict(combination)},
            "seed": seed if combination.rule in FITTED else 0,
        },
        run=lambda context: _run(context, members, combination, seed),
        extra=lambda project: {f"scores of member {index}": member.content for index, member in enumerate(members)},
    )


def _run(context: Context, members: Sequence[Member], combination: Combination, seed: int) -> None:
    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    fits, output = fit(truth, members, combination, seed), context.own(EnsembleScoresFolder)
    for done, key in enumerate(truth.ids, start=1):
        write_combined(output, members, key, fits[truth.folds[key]])
        context.progress.advance(done, len(truth.ids), "recordings")
    write_fits(output, fits)
    names = [member.name for member in members]
    output.write_summary(
        {
            "members": names,
            "rule": combination.rule,
            **({"exponent": combination.exponent} if combination.rule == "power" else {}),
            "weights": _weights(names, fits[None]),
            **({"weights_per_fold": _per_fold(names, fits)} if combination.rule == LEARNED else {}),
            "protocol": _protocol(combination),
        },
    )


def _protocol(combination: Combination) -> str:
    if combination.rule == LEARNED:
        return "weights of a fold fitted on the out-of-fold scores of the other folds; the bundle's on all of them"
    if combination.rule == RANK:
        return "ranked among the out-of-fold scores of the recordings of the other folds; in the bundle, of all of them"
    return "nothing fitted"


def _per_fold(names: Sequence[str], fits: Mapping[int | None, Fit]) -> dict[str, dict[str, float]]:
    return {str(fold): _weights(names, fitted) for fold, fitted in fits.items() if fold is not None}


def _weights(names: Sequence[str], fitted: Fit) -> dict[str, float]:
    return {name: round(share, 6) for name, share in zip(names, fitted.combination.shares(len(names)), strict=True)}


def write_combined(folder: ScoresFolder, members: Sequence[Member], key: str, fitted: Fit) -> None:
    """Write the combined track of a recording to ``folder``."""
    scores, track = member_scores(members, key)
    path = folder.track_path(key)
    write_track(
        path,
        ScoreTrack(track.labels, combine(scores, fitted.combination, fitted.tables), track.hop_s, track.duration_s),
    )


def fit(truth: Truth, members: Sequence[Member], combination: Combination, seed: int) -> dict[int | None, Fit]:
    """Fit the rule for every fold on the recordings of the other folds, and under the key None on all recordings."""
    folds: list[int | None] = [*sorted(set(truth.folds.values())), None]
    if combination.rule not in FITTED:
        return dict.fromkeys(folds, Fit(combination))
    drawn = {key: _drawn_frames(truth, members, key, seed, _MOST_CELLS[combination.rule]) for key in truth.ids}
    fits: dict[int | None, Fit] = {}
    for fold in folds:
        training_parts = [drawn[key] for key in truth.ids if truth.folds[key] != fold]
        scores = np.concatenate([part[0] for part in training_parts], axis=1)
        if combination.rule == RANK:
            fits[fold] = Fit(combination, np.stack([rank_table(score) for score in scores]))
        else:
            targets = np.concatenate([part[1] for part in training_parts])
            weights = fitted_weights(scores.reshape(len(members), -1), targets.reshape(-1))
            fits[fold] = Fit(Combination(rule=combination.rule, weights=tuple(weights.tolist())))
    return fits


def _drawn_frames(truth: Truth, members: Sequence[Member], key: str, seed: int, most: int) -> tuple[Scores, Scores]:
    """Return sampled frames of a recording: scores (n_members, n, n_labels) and targets (n, n_labels)."""
    scores, track = member_scores(members, key)
    n_frames, n_labels = scores.shape[1:]
    # Draw the same frames for every fold: each recording gets a share of the cells in proportion to its frames.
    share = min(1.0, most / max(1.0, sum(truth.durations_s.values()) / track.hop_s * n_labels))
    n_drawn = min(n_frames, max(1, round(share * n_frames)))
    rows = np.arange(n_frames)
    if n_drawn < n_frames:
        generator = np.random.default_rng(seed_of(seed, "ensemble weights", key))
        rows = np.sort(generator.choice(n_frames, n_drawn, replace=False))
    references = truth.references[key]
    targets = np.zeros((n_frames, n_labels), dtype=np.float32)
    for column, label in enumerate(track.labels):
        if label in references:
            targets[:, column] = rasterise(references[label], n_frames, track.hop_s)
    return scores[:, rows], targets[rows]


def write_fits(folder: EnsembleScoresFolder, fits: Mapping[int | None, Fit]) -> None:
    """Write the fits as plain arrays, with the rule as text."""
    arrays, rules = {}, {}
    for fold, fitted in fits.items():
        name = _FINAL if fold is None else str(fold)
        rules[name] = asdict(fitted.combination)
        if fitted.tables is not None:
            arrays[name] = fitted.tables
    with whole_file(folder.fits_file) as part:
        part.write_bytes(arrays_to_bytes(arrays, {"rules": json.dumps(rules, sort_keys=True)}))


def read_fits(scores: EnsembleScoresFolder) -> dict[int | None, Fit]:
    """Read what :func:`write_fits` wrote, once for each object."""
    return scores.once(_read_fits)


def _read_fits(scores: EnsembleScoresFolder) -> dict[int | None, Fit]:
    arrays, text = arrays_from_bytes(read_regular(scores.fits_file, MOST_ARTEFACT_BYTES), str(scores.fits_file))
    fits: dict[int | None, Fit] = {}
    for name, rule in json.loads(text["rules"]).items():
        combination = Combination(rule=rule["rule"], weights=tuple(rule["weights"]), exponent=rule["exponent"])
        fits[None if name == _FINAL else int(name)] = Fit(combination, arrays.get(name))
    return fits
