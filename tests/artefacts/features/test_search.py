from pathlib import Path

import numpy as np
import pytest

from ossicle.artefacts.features import search as searching
from ossicle.artefacts.features.search import Hit, StoredRows, search
from ossicle.core.errors import ArtefactError


def stored(folder: Path, name: str, values: np.ndarray, offset: int = 128) -> StoredRows:
    (folder / name).write_bytes(bytes(offset) + values.astype("<f2").tobytes())
    return StoredRows(folder / name, offset, *values.shape)


@pytest.fixture
def arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[StoredRows], list[np.ndarray]]:
    """Three files of windows of two tokens, the second without a window; blocks of five windows."""
    monkeypatch.setattr(searching, "BLOCK_VALUES", 5 * 2 * 7)
    draw = np.random.default_rng(1)
    values = [draw.standard_normal((rows, 2, 7)).astype(np.float16) for rows in (23, 0, 12)]
    return [stored(tmp_path, f"{k}.npy", value) for k, value in enumerate(values)], values


def cosines(values: np.ndarray, query: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    means = (values.astype(np.float64).mean(axis=1) - centre) * scale
    return means @ query / np.linalg.norm(means, axis=1) / np.linalg.norm(query)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_hits_are_those_of_all_cosines_sorted(arrays, threads):
    rows, values = arrays
    draw = np.random.default_rng(2)
    query, centre, scale = (draw.standard_normal(7).astype(np.float32) for _ in range(3))
    expected = sorted(
        (-similarity, array, row)
        for array, value in enumerate(values)
        for row, similarity in enumerate(cosines(value, query, centre, scale))
    )
    hits = search(rows, query, 10, centre=centre, scale=scale, threads=threads)
    assert [(hit.array, hit.row) for hit in hits] == [(array, row) for _, array, row in expected[:10]]
    np.testing.assert_allclose([hit.similarity for hit in hits], [-one for one, *_ in expected[:10]], atol=1e-5)
    assert len(search(rows, query, 100, centre=centre, scale=scale)) == 35


def test_a_window_finds_itself_and_equal_ones_come_in_order(tmp_path):
    values = np.random.default_rng(1).standard_normal((9, 1, 4))
    values[7] = 3 * values[2]
    values[4] = 0
    hits = search([stored(tmp_path, "a.npy", values)], values[2, 0].astype(np.float16).astype(np.float32), 9)
    assert [hit.row for hit in hits[:2]] == [2, 7]
    assert hits[0].similarity == pytest.approx(1, abs=1e-6)
    assert Hit(0.0, 0, 4) in hits


def test_a_file_that_was_cut_off_is_named(tmp_path):
    rows = stored(tmp_path, "a.npy", np.ones((9, 1, 4)))
    rows.path.write_bytes(rows.path.read_bytes()[:-1])
    with pytest.raises(ArtefactError, match=r"a\.npy is shorter"):
        search([rows], np.ones(4, np.float32), 1)
