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


def scores_step(members: Sequence[Member], how: Combination, seed: int) -> Step:
    """Return the step in place of ``scores``: it reads only the members' scores, not their models."""
    return Step(
        name=EnsembleScoresFolder.step,
        version=STEP_VERSION,
        needs=("corpus", "dataset"),
        settings=lambda project: {
            "ensemble": {"members": [member.name for member in members], **asdict(how)},
            "seed": seed if how.rule in FITTED else 0,
        },
        run=lambda context: _run(context, members, how, seed),
        extra=lambda project: {f"scores of member {place}": member.content for place, member in enumerate(members)},
    )


def _run(context: Context, members: Sequence[Member], how: Combination, seed: int) -> None:
    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    fits, own = fit(truth, members, how, seed), context.own(EnsembleScoresFolder)
    for done, key in enumerate(truth.ids, start=1):
        write_combined(own, members, key, fits[truth.folds[key]])
        context.progress.advance(done, len(truth.ids), "recordings")
    write_fits(own, fits)
    names = [member.name for member in members]
    own.write_summary(
        {
            "members": names,
            "rule": how.rule,
            **({"exponent": how.exponent} if how.rule == "power" else {}),
            "weights": _weights(names, fits[None]),
            **({"weights_per_fold": _per_fold(names, fits)} if how.rule == LEARNED else {}),
            "protocol": _protocol(how),
        },
    )


def _protocol(how: Combination) -> str:
    if how.rule == LEARNED:
        return "weights of a fold fitted on the out-of-fold scores of the other folds; the bundle's on all of them"
    if how.rule == RANK:
        return "ranked among the out-of-fold scores of the recordings of the other folds; in the bundle, of all of them"
    return "nothing fitted"


def _per_fold(names: Sequence[str], fits: Mapping[int | None, Fit]) -> dict[str, dict[str, float]]:
    return {str(fold): _weights(names, one) for fold, one in fits.items() if fold is not None}


def _weights(names: Sequence[str], one: Fit) -> dict[str, float]:
    return {name: round(share, 6) for name, share in zip(names, one.how.shares(len(names)), strict=True)}


def write_combined(out: ScoresFolder, members: Sequence[Member], key: str, one: Fit) -> None:
    """Write the combined track of a recording to ``out``."""
    scores, track = member_scores(members, key)
    path = out.track_path(key)
    write_track(path, ScoreTrack(track.labels, combine(scores, one.how, one.tables), track.hop_s, track.duration_s))


def fit(truth: Truth, members: Sequence[Member], how: Combination, seed: int) -> dict[int | None, Fit]:
    """Fit the rule for every fold on the recordings of the other folds, and under the key None on all recordings."""
    folds: list[int | None] = [*sorted(set(truth.folds.values())), None]
    if how.rule not in FITTED:
        return dict.fromkeys(folds, Fit(how))
    drawn = {key: _drawn(truth, members, key, seed, _MOST_CELLS[how.rule]) for key in truth.ids}
    out: dict[int | None, Fit] = {}
    for fold in folds:
        of = [drawn[key] for key in truth.ids if truth.folds[key] != fold]
        scores = np.concatenate([one[0] for one in of], axis=1)
        if how.rule == RANK:
            out[fold] = Fit(how, np.stack([rank_table(score) for score in scores]))
        else:
            targets = np.concatenate([one[1] for one in of])
            found = fitted_weights(scores.reshape(len(members), -1), targets.reshape(-1))
            out[fold] = Fit(Combination(rule=how.rule, weights=tuple(found.tolist())))
    return out


def _drawn(truth: Truth, members: Sequence[Member], key: str, seed: int, most: int) -> tuple[Scores, Scores]:
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


def write_fits(out: EnsembleScoresFolder, fits: Mapping[int | None, Fit]) -> None:
    """Write the fits as plain arrays, with the rule as text."""
    arrays, rules = {}, {}
    for fold, one in fits.items():
        name = _FINAL if fold is None else str(fold)
        rules[name] = asdict(one.how)
        if one.tables is not None:
            arrays[name] = one.tables
    with whole_file(out.fits_file) as part:
        part.write_bytes(arrays_to_bytes(arrays, {"rules": json.dumps(rules, sort_keys=True)}))


def read_fits(scores: EnsembleScoresFolder) -> dict[int | None, Fit]:
    """Read what :func:`write_fits` wrote, once for each object."""
    return scores.once(_read_fits)


def _read_fits(scores: EnsembleScoresFolder) -> dict[int | None, Fit]:
    arrays, text = arrays_from_bytes(read_regular(scores.fits_file, MOST_ARTEFACT_BYTES), str(scores.fits_file))
    out: dict[int | None, Fit] = {}
    for name, rule in json.loads(text["rules"]).items():
        how = Combination(rule=rule["rule"], weights=tuple(rule["weights"]), exponent=rule["exponent"])
        out[None if name == _FINAL else int(name)] = Fit(how, arrays.get(name))
    return out
