"""Figures of soundscapes: perfect and useless models get what they must; folds choose no threshold for themselves."""

import numpy as np
import pytest
from numpy.typing import NDArray

RATE = 8000
LABELS = ("class0", "class1", "class2")


def heard(better: bool) -> object:
    """Four scenes of two folds with tracks of 1 s frames: the truth as scores, or its opposite."""
    from bench_soundscapes import Heard, make_scenes
    from scenes import window_truth

    from ossicle.core.tracks import ScoreTrack

    def clip(seed: int) -> NDArray[np.float32]:
        return np.random.default_rng(seed).standard_normal(4 * RATE).astype(np.float32)

    clips = {fold: [(LABELS[k % 3], f"{fold}-{k}", clip(k)) for k in range(12)] for fold in ("fold1", "fold2")}
    scenes = make_scenes(clips, 2, 0, "test", RATE)
    tracks = {}
    for name, scene in scenes.items():
        truth = window_truth({label: scene.truth(label) for label in LABELS}, LABELS, 60, 1.0, 0.5)
        # A model that reads a 5 s window: yes where any second of it has the label.
        around = np.stack([np.convolve(column, np.ones(5), "same") > 0 for column in truth.T.astype(float)], axis=1)
        scores = np.where(around, 0.9, 0.1) if better else np.where(around, 0.1, 0.9)
        tracks[name] = ScoreTrack(LABELS, scores.astype(np.float32), 1.0, 60.0)
    return Heard({name: name.split("_")[0] for name in scenes}, scenes, tracks)


def test_a_model_that_knows_the_truth_ranks_perfectly_and_one_that_inverts_it_not_at_all() -> None:
    from bench_soundscapes import judge

    good, bad = judge(heard(True), LABELS), judge(heard(False), LABELS)  # type: ignore[arg-type]
    assert good["macro ROC AUC"].value > 0.95
    assert good["segment F1 of 5 s"].value > 0.75
    assert good["event F1 at IoU 0.2"].value > 0.75
    assert bad["macro ROC AUC"].value < 0.05
    assert bad["event F1 at IoU 0.2"].value < good["event F1 at IoU 0.2"].value
    assert good["macro ROC AUC"].low <= good["macro ROC AUC"].value <= good["macro ROC AUC"].high


def test_a_fold_does_not_choose_its_own_threshold() -> None:
    from bench_soundscapes import events_of

    result = heard(True)
    spans = {name: {label: scene.truth(label) for label in LABELS} for name, scene in result.scenes.items()}  # type: ignore[attr-defined]
    before = events_of(result, spans, LABELS)  # type: ignore[arg-type]
    # Another truth for one fold's scenes changes what is decided on the other's, and nothing on its own.
    turned = {
        name: {label: np.array([[0.0, 60.0]]) for label in LABELS} if name.startswith("fold1") else of
        for name, of in spans.items()
    }
    after = events_of(result, turned, LABELS)  # type: ignore[arg-type]
    for name in spans:
        same = all(np.array_equal(before[name].get(label, []), after[name].get(label, [])) for label in LABELS)
        assert same == name.startswith("fold1")


def test_scenes_are_named_by_the_published_fold_of_their_clips() -> None:
    from bench_soundscapes import fold_of

    assert fold_of("rain/3-17367-A.ogg") == "fold3"


def test_a_model_of_two_published_folds_is_refused() -> None:
    from types import SimpleNamespace

    from bench_soundscapes import models_by_fold

    recordings = {key: SimpleNamespace(path=f"rain/{key}-1-A.ogg") for key in "123"}
    truth = SimpleNamespace(ids=tuple("123"), recordings=recordings, folds={"1": 0, "2": 1, "3": 1})
    assert models_by_fold(truth, {"fold0": (0,), "final": ()}) == {"fold1": "fold0"}  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="fold1 holds out recordings of fold2, fold3"):
        models_by_fold(truth, {"fold0": (0,), "fold1": (1,)})  # type: ignore[arg-type]


def test_scenes_and_their_truth_are_written(tmp_path: object) -> None:
    from pathlib import Path

    import soundfile
    from bench_soundscapes import write_scenes

    from ossicle.corpus.formats.raven import read_raven

    assert isinstance(tmp_path, Path)
    result = heard(True)
    scenes = result.scenes  # type: ignore[attr-defined]
    write_scenes(scenes, tmp_path / "audio", tmp_path / "selections")
    write_scenes(scenes, tmp_path / "unlabelled", None)
    name = sorted(scenes)[0]
    samples, rate = soundfile.read(tmp_path / "audio" / f"{name}.flac")
    assert (len(samples), rate) == (60 * RATE, RATE)
    rows = read_raven(tmp_path / "selections" / f"{name}.Table.1.selections.txt", label_column="Annotation")
    assert [row.label for row in rows] == [event.label for event in scenes[name].events]
    assert sorted(path.name for path in (tmp_path / "unlabelled").iterdir()) == [
        f"{one}.flac" for one in sorted(scenes)
    ]
