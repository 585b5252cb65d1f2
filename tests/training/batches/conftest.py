"""A store of unlabelled recordings."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ossicle.artefacts.records.column_tables import clips_frame
from ossicle.artefacts.tables import write_table
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder, UnlabelledFolder
from ossicle.audio.store import StoreItem, build_store
from ossicle.audio.wav import write_wav
from ossicle.core.records import Clip
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import write_index
from ossicle.corpus.pseudo_labels.rounds import round_path
from ossicle.corpus.pseudo_labels.settings import PseudoSettings
from ossicle.training.batches.pseudo import PseudoSource

from .pseudo_windows import SITES, TELLTALE, labelled, unlabelled, write_one


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three unlabelled recordings of 1.5 s: two windows of 60 frames and a half."""
    place = tmp_path_factory.mktemp("unlabelled")
    items = []
    for i, site in enumerate(SITES):
        write_wav(place / f"{site}.wav", np.random.default_rng(i).standard_normal(12_000).astype(np.float32) / 9, 8000)
        items.append(StoreItem(f"id-{site}", place / f"{site}.wav", f"bytes of {site}"))
    build_store(items, place / "store", 8000)
    return place / "store"


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
