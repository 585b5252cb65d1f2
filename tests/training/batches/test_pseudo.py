"""Pseudo-labelled windows in a training: what a crop reads, how often they are drawn, what one model may learn from."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from ossicle.artefacts.records.column_tables import clips_frame
from ossicle.artefacts.tables import write_table
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder, UnlabelledFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.audio.store import Store, StoreItem, build_store
from ossicle.audio.wav import write_wav
from ossicle.core.errors import SplitError, UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Clip, Recording
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import write_index
from ossicle.corpus.pseudo_labels.rounds import View, round_path, write_round
from ossicle.corpus.pseudo_labels.settings import PseudoSettings
from ossicle.corpus.pseudo_labels.windows import Kept, Labelled, Windows, gather
from ossicle.inference.predictor import FakePredictor
from ossicle.inference.scorer import Scorer
from ossicle.training.batches.crops import CropDraw, EpochCrops, read_crop
from ossicle.training.batches.material import load_material
from ossicle.training.batches.pseudo import PseudoCrops, PseudoSource, lesson, load_pseudo, split_recordings
from ossicle.training.crossval import fit_job
from ossicle.training.settings import TrainingSettings

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=60, context_frames=10)
LABELS = ("high", "low")
SITES = ("U0", "U1", "U2")


def unlabelled(name: str, site: str) -> Recording:
    return Recording(
        f"id-{name}", "unlabelled", f"{name}.wav", 8000, 1, 12_000, f"bytes of {name}", fields={"site": site}
    )


def kept(starts: list[int], column: int, value: float, core: int = 60, n_labels: int = 2) -> Kept:
    targets = np.zeros((len(starts), core, n_labels), dtype=np.float32)
    targets[:, :, column] = value
    return Kept(np.array(starts, dtype=np.int64), targets, 0, 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three unlabelled recordings of 1.5 s: two windows of 60 frames and a half."""
    place = tmp_path_factory.mktemp("unlabelled")
    items = []
    for i, site in enumerate(SITES):
        write_wav(place / f"{site}.wav", np.random.default_rng(i).standard_normal(12_000).astype(np.float32) / 9, 8000)
        items.append(StoreItem(f"id-{site}", place / f"{site}.wav", f"bytes of {site}"))
    build_store(items, place / "store", 8000)
    return place / "store"


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


# What one model may learn from: labelled sites A, B, C in folds 0, 1, 2, each model taught by the other two.
TAUGHT = {"fold0": ("B", "C"), "fold1": ("A", "C"), "fold2": ("A", "B"), "final": ("A", "B", "C")}
TELLTALE = {"fold0": 0.5, "fold1": 0.625, "fold2": 0.75, "final": 0.875}


def of_sites(*sites: str) -> Labelled:
    return Labelled(*(frozenset(f"{kind}-{site}" for site in sites) for kind in ("id", "bytes")), frozenset(sites))


def labelled(site: str) -> Recording:
    return Recording(
        f"id-{site}", "r", f"{site}.wav", 8000, 1, 8000, f"bytes-{site}", reviewed=True, fields={"site": site}
    )


@pytest.fixture
def source(tmp_path: Path, store: Path) -> PseudoSource:
    """A dataset of three sites, three unlabelled recordings, and one round whose values tell which models spoke."""
    for folder in ("dataset", "corpus", "unlabelled"):
        (tmp_path / folder).mkdir()
    clips = [Clip(f"id-{site}", 0.0, 1.0, "target", fold, site, "high") for fold, site in enumerate("ABC")]
    write_table(tmp_path / "dataset" / "clips.parquet", clips_frame(clips), ["recording_id", "start_s"])
    folds = pl.DataFrame({"recording_id": ["id-A", "id-B", "id-C"], "group": list("ABC"), "fold": [0, 1, 2]})
    write_table(tmp_path / "dataset" / "folds.parquet", folds, ["recording_id"])
    write_index(CorpusIndex(tuple(labelled(site) for site in "ABC"), ()), CorpusFolder(tmp_path / "corpus"))
    write_index(
        CorpusIndex(tuple(unlabelled(site, site) for site in SITES), ()), UnlabelledFolder(tmp_path / "unlabelled")
    )
    write_one(tmp_path, 1, TELLTALE)
    return PseudoSource(
        (round_path(tmp_path, 1),),
        DatasetFolder(tmp_path / "dataset"),
        CorpusFolder(tmp_path / "corpus"),
        UnlabelledFolder(tmp_path / "unlabelled"),
        store,
        "site",
        "site",
        PseudoSettings(audio="unlabelled"),
    )


def write_one(place: Path, number: int, values: dict[str, float], sites: tuple[str, ...] = SITES, **about: Any) -> Path:
    views = {}
    for name, value in values.items():
        result = gather(LABELS, [(unlabelled(site, site), kept([0, 60], 0, value), False) for site in sites])
        members = {one: "w" for one in TELLTALE if one != "final"} if name == "final" else {name: "w"}
        views[name] = View(members, result, of_sites(*TAUGHT[name]))
    path = round_path(place, number)
    write_round(path, views, {"labels": LABELS, "core_frames": 60, "hop_s": PLAN.hop_s, "group": "site", **about})
    return path


FOLDS = {"fold0": (0,), "fold1": (1,), "fold2": (2,), "final": ()}


@pytest.mark.parametrize("name", list(FOLDS))
def test_each_model_hears_only_models_that_held_out_what_it_holds_out(source: PseudoSource, name: str) -> None:
    material = load_pseudo(source, LABELS, PLAN, FOLDS[name], name)
    seen = {float(value) for i in range(len(material.windows)) for value in np.unique(material.read(i)[1][10:70, 0])}
    assert seen == {TELLTALE[name]}
    result = lesson(source, PLAN, FOLDS[name], name)
    assert [(one, view) for one, _, view in result.views] == [("round-001", name)]
    assert result.taught == of_sites(*TAUGHT[name])
    learned, held = split_recordings(source.dataset, CorpusIndex(tuple(labelled(s) for s in "ABC"), ()), FOLDS[name])
    assert learned == of_sites(*TAUGHT[name])
    assert not result.taught.shares(held)


def test_swapped_names_deceive_nobody(source: PseudoSource, tmp_path: Path) -> None:
    """A round in which every view says it is another: what taught it decides, and its values follow."""
    views = {}
    for name, other in (("fold0", "fold1"), ("fold1", "fold2"), ("fold2", "fold0")):
        result = gather(LABELS, [(unlabelled("U0", "U0"), kept([0], 0, TELLTALE[other]), False)])
        views[name] = View({name: "w"}, result, of_sites(*TAUGHT[other]))
    path = round_path(tmp_path, 7)
    write_round(path, views, {"labels": LABELS, "core_frames": 60, "hop_s": PLAN.hop_s, "group": "site"})
    for name in ("fold0", "fold1", "fold2"):
        found_ = lesson(replace(source, rounds=(path,)), PLAN, FOLDS[name], name)
        assert found_.windows.scores.tolist() == [TELLTALE[name]]


def test_a_round_of_another_split_is_refused(source: PseudoSource, tmp_path: Path) -> None:
    only_final = write_one(tmp_path, 5, {"final": 0.9})
    with pytest.raises(SplitError, match="every model that made it learned from recordings that 'fold1' holds out"):
        lesson(replace(source, rounds=(only_final,)), PLAN, (1,), "fold1")
    # Two sites held out at once: each view's models learned from one of them.
    with pytest.raises(SplitError, match="made under another split"):
        lesson(source, PLAN, (0, 1), "holdout")


def test_unlabelled_recordings_of_a_held_out_group_are_not_heard(source: PseudoSource, tmp_path: Path) -> None:
    sites = {"U0": "A", "U1": "A", "U2": "B"}
    index = CorpusIndex(tuple(unlabelled(name, site) for name, site in sites.items()), ())
    write_index(index, UnlabelledFolder(tmp_path / "unlabelled"))
    assert lesson(source, PLAN, (0,), "fold0").heard() == {"id-U2"}
    assert lesson(source, PLAN, (0,), "fold0").unused == {"its site is held out": 4}
    assert lesson(source, PLAN, (1,), "fold1").heard() == {"id-U0", "id-U1"}
    assert (
        lesson(source, PLAN, (2,), "fold2").heard()
        == lesson(source, PLAN, (), "final").heard()
        == set({"id-U0", "id-U1", "id-U2"})
    )
    # By a field of their own, whatever the split groups by.
    by_other = replace(source, group="recording")
    assert lesson(by_other, PLAN, (0,), "fold0").heard() == {"id-U2"}
    # Where each stands alone, an equal name means nothing.
    assert len(lesson(replace(source, own_group="recording"), PLAN, (0,), "fold0").heard()) == 3


def test_what_is_labelled_changed_or_gone_by_now_teaches_nothing(source: PseudoSource, tmp_path: Path) -> None:
    write_index(
        CorpusIndex((*(labelled(site) for site in "ABC"), replace(labelled("D"), digest="bytes of U0")), ()),
        CorpusFolder(tmp_path / "corpus"),
    )
    changed = replace(unlabelled("U1", "U1"), digest="other bytes")
    write_index(CorpusIndex((unlabelled("U0", "U0"), changed), ()), UnlabelledFolder(tmp_path / "unlabelled"))
    result = lesson(source, PLAN, (), "final")
    assert len(result.windows) == 0
    assert result.unused == {
        "the sound of its recording changed": 2,
        "its recording is labelled by now": 2,
        "its recording is not there any more": 2,
    }
    assert load_pseudo(source, LABELS, PLAN, (), "final").draw("high", np.random.default_rng(0)) is None


def test_of_all_rounds_the_latest_word_on_a_recording_counts(source: PseudoSource, tmp_path: Path) -> None:
    later = write_one(tmp_path, 2, dict.fromkeys(TELLTALE, 0.96875), sites=("U1",))
    result = lesson(replace(source, rounds=(later, source.rounds[0])), PLAN, (1,), "fold1")
    values = dict(zip(result.windows.recordings.tolist(), result.windows.scores.tolist(), strict=True))
    assert values == {"id-U0": 0.625, "id-U1": 0.96875, "id-U2": 0.625}
    assert result.unused == {"a later round labels its recording again": 2}
    assert [(one, view) for one, _, view in result.views] == [("round-002", "fold1"), ("round-001", "fold1")]


def test_a_round_on_another_grid_is_refused(source: PseudoSource) -> None:
    with pytest.raises(UsageError, match=r"its windows are 60 frames of 10 ms, and this model reads 30 of 10 ms"):
        lesson(source, replace(PLAN, core_frames=30), (), "final")


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
