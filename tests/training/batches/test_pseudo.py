"""Pseudo-labelled windows in a training: what a crop reads, and how often windows are drawn."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from ossicle.artefacts.tables import write_table
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder, UnlabelledFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.audio.store import Store
from ossicle.core.errors import SplitError
from ossicle.core.records import Recording
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import write_index
from ossicle.corpus.pseudo_labels.rounds import View, round_path, write_round
from ossicle.corpus.pseudo_labels.settings import PseudoSettings
from ossicle.corpus.pseudo_labels.windows import Labelled, Windows, gather
from ossicle.inference.predictor import FakePredictor
from ossicle.inference.scorer import Scorer
from ossicle.training.batches.crops import CropDraw, EpochCrops, read_crop
from ossicle.training.batches.material import load_material
from ossicle.training.batches.pseudo import PseudoCrops, PseudoSource
from ossicle.training.detector.crossval import fit_job
from ossicle.training.settings import TrainingSettings

from .pseudo_windows import LABELS, PLAN, SITES, kept, unlabelled


def windows(**of: tuple[list[int], int, float]) -> Windows:
    return gather(LABELS, [(unlabelled(site, site), kept(*given), False) for site, given in of.items()])


def crops(store: Path, labels: tuple[str, ...] = LABELS, **given: Any) -> PseudoCrops:
    result = windows(U0=([0, 120], 0, 0.75), U1=([60], 1, 0.5), U2=([0], 1, 0.625))
    return PseudoCrops(result, Store(store), labels, PLAN, PseudoSettings(**{"probability": 0.4, **given}))


class Heard(FakePredictor):
    """Keeps the chunks it was given."""

    chunks: tuple[Any, ...] = ()

    def predict(self, chunks: Any) -> Any:
        self.chunks = (*self.chunks, *chunks)
        return super().predict(chunks)


def test_a_window_is_read_where_the_model_that_labelled_it_read_it(store: Path) -> None:
    pseudo_crops, samples = crops(store), Store(store)
    for window in range(4):
        key, _ = pseudo_crops.place(window)
        model = Heard(LABELS, PLAN)
        scorer = Scorer(model, batch_chunks=1)
        scorer.feed(samples.read(key, 0, samples.n_samples(key)))
        scorer.finish()
        read, targets, mask = pseudo_crops.read(window)
        start = int(pseudo_crops.windows.start_frames[window])
        np.testing.assert_array_equal(read, model.chunks[start // 60])
        column, value = int(pseudo_crops.windows.top[window]), float(pseudo_crops.windows.scores[window])
        # Known in the core as far as the recording goes (150 frames), unknown around it, and no background there.
        inside = np.zeros(80, dtype=bool)
        inside[10 : 10 + min(60, 150 - start)] = True
        np.testing.assert_array_equal(mask, np.repeat(inside[:, None], 2, axis=1).astype(np.float32))
        np.testing.assert_array_equal(targets[inside, column], np.full(inside.sum(), value, np.float32))
        assert not targets[inside, 1 - column].any()
        assert (targets[~inside] == 1).all()


def test_labels_are_aligned_by_name_and_strange_ones_are_unknown(store: Path) -> None:
    pseudo_crops = crops(store, ("low", "new", "high"))
    _, targets, mask = pseudo_crops.read(0)
    assert pseudo_crops.label(0) == "high"
    assert targets[20].tolist() == [0.0, 1.0, 0.75]
    assert mask[20].tolist() == [1.0, 0.0, 1.0]
    # What only tells of a label that is not taught here teaches nothing.
    assert len(crops(store, ("low",)).windows) == 2
    assert len(crops(store, ("other",)).windows) == 0


def draw_of(corpus: Any, store: Path, **given: Any) -> tuple[CropDraw, CropDraw]:
    """Draws with pseudo-labels, and without."""
    material = load_material(corpus.dataset, corpus.store, LABELS, PLAN)
    training = TrainingSettings(target_share=0.5, steps_per_epoch=50, batch_size=40, seed=1)
    plain = CropDraw(corpus.clips, material, training)
    return CropDraw(corpus.clips, replace(material, pseudo=crops(store, **given)), training), plain


def test_crops_give_their_places_to_windows_of_their_label_with_the_probability(corpus: Any, store: Path) -> None:
    mixed, plain = draw_of(corpus, store)
    pseudo = mixed._material.pseudo
    assert pseudo is not None
    targets = [clip for clip in corpus.clips if clip.role == "target"]
    replaced = kept_ = 0
    for index in range(1000):
        before, after = plain(3, index), mixed(3, index)
        assert after == mixed(3, index)
        near = [c for c in targets if c.recording_id == before.recording_id]
        if after.window is None:
            # Nothing else changes: a training without windows is the same draw.
            assert after == before
            kept_ += 1
            continue
        replaced += 1
        assert pseudo.label(after.window) in {one.label for one in near}
    # Noise (half of the crops) stays, of the others four in ten go.
    assert binomtest(replaced, replaced + kept_, 0.5 * 0.4).pvalue > 0.001


def test_by_any_window_noise_is_replaced_too(corpus: Any, store: Path) -> None:
    mixed, _ = draw_of(corpus, store, same_class=False)
    drawn = [mixed(0, index).window for index in range(2000)]
    counts = Counter(one for one in drawn if one is not None)
    assert binomtest(counts.total(), 2000, 0.4).pvalue > 0.001
    assert set(counts) == {0, 1, 2, 3}
    assert min(counts.values()) > 150


def test_a_label_without_windows_keeps_its_clips(corpus: Any, store: Path) -> None:
    material = load_material(corpus.dataset, corpus.store, LABELS, PLAN)
    pseudo_crops = PseudoCrops(windows(U1=([60], 1, 0.5)), Store(store), LABELS, PLAN, PseudoSettings(probability=1.0))
    clips = tuple(clip for clip in corpus.clips if clip.label == "high")
    training = TrainingSettings(target_share=1.0, seed=1)
    draw = CropDraw(clips, replace(material, pseudo=pseudo_crops), training)
    assert {draw(0, index).window for index in range(100)} == {None}


def test_what_is_logged_is_what_is_read(corpus: Any, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed, plain = draw_of(corpus, store)
    read: list[int] = []
    monkeypatch.setattr(PseudoCrops, "read", lambda self, window: read.append(window) or original(self, window))
    crops = EpochCrops(mixed._material, mixed)
    for index in range(mixed.steps * 40):
        crops[5, index]
    shares = mixed.pseudo_shares(5)
    pseudo = mixed._material.pseudo
    assert pseudo is not None
    assert shares["pseudo_share"] == len(read) / 2000 > 0.1
    counts = Counter(pseudo.label(window) for window in read)
    assert shares == {"pseudo_share": len(read) / 2000} | {f"pseudo_share.{k}": n / 2000 for k, n in counts.items()}
    assert mixed.pseudo_shares(6) != shares
    assert plain.pseudo_shares(5) == {}
    samples, targets, mask = read_crop(
        mixed._material, next(c for i in range(99) if (c := mixed(0, i)).window is not None)
    )
    assert samples.shape == (PLAN.chunk_samples,)
    assert targets.shape == mask.shape == (80, 2)


original = PseudoCrops.read


def test_a_training_learns_from_windows_and_logs_them(corpus: Any, store: Path, tmp_path: Path) -> None:
    write_index(
        CorpusIndex(tuple(unlabelled(site, site) for site in SITES), ()), UnlabelledFolder(tmp_path / "unlabelled")
    )
    recordings = [Recording(f"rec{i}", "r", f"rec{i}.wav", 8000, 1, 48000, f"d{i}", reviewed=True) for i in range(4)]
    write_index(CorpusIndex(tuple(recordings), ()), CorpusFolder(tmp_path / "corpus"))
    folds = pl.DataFrame({"recording_id": [r.id for r in recordings], "group": list("abcd"), "fold": [0, 1, 0, 1]})
    dataset = DatasetFolder(Path(shutil.copytree(corpus.dataset.path, tmp_path / "dataset")))
    write_table(dataset.folds_file, folds, ["recording_id"])
    result = windows(U0=([0, 60], 0, 0.75), U1=([60], 1, 0.5))
    path = round_path(tmp_path, 1)
    about = {"labels": LABELS, "core_frames": 60, "hop_s": PLAN.hop_s, "group": "recording"}
    write_round(path, {"fold0": View({"fold0": "w"}, result, Labelled(frozenset({"rec1", "rec3"})))}, about)
    source = PseudoSource(
        (path,),
        dataset,
        CorpusFolder(tmp_path / "corpus"),
        UnlabelledFolder(tmp_path / "unlabelled"),
        store,
        "recording",
        "recording",
        PseudoSettings(audio="unlabelled", probability=1.0),
    )
    job = corpus.job(tmp_path / "run", 0, epochs=2)
    fit_job(replace(job, pseudo=source))
    lines = RunFolder(tmp_path / "run").epochs()
    assert len(lines) == 2
    for line in lines:
        # All targets, about 0.7 of the crops, give way to windows of their labels.
        assert 0.3 < line["pseudo_share"] <= 1
        assert line["pseudo_share"] == pytest.approx(
            line.get("pseudo_share.high", 0.0) + line.get("pseudo_share.low", 0.0)
        )
    with pytest.raises(SplitError):
        fit_job(replace(corpus.job(tmp_path / "other", 1, epochs=2), pseudo=source))
    assert not RunFolder(tmp_path / "other").done
