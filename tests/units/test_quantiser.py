import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ossicle.audio.segmentation.hearing import Hearing
from ossicle.audio.segmentation.settings import SegmentSettings
from ossicle.core.errors import ArtefactError, UsageError
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.units.normalisation import Normalisation, statistics_of
from ossicle.units.quantiser import Quantiser, QuantiserFit

SPEC = EncoderSpec("mfcc", rate=16000, dim=3, hop_s=0.02, origin_s=0.0125, licence="Apache-2.0")


def frames(seed: int = 0, n: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 3)).astype(np.float32) * 2 + 1


def quantiser(kind: str = "group") -> Quantiser:
    fit = QuantiserFit(1000, 7, 1.25, 100, 1.5, (0.5, 0.3, 0.2, 0.0), (3,), 1)
    centres = np.random.default_rng(1).standard_normal((4, 3)).astype(np.float32)
    normalisation = Normalisation(kind, statistics_of(frames()))
    return Quantiser(centres, normalisation, SPEC, hop_s=0.02, origin_s=0.0125, seed=5, fit=fit)


@pytest.mark.parametrize("kind", ["none", "corpus", "segment", "group"])
def test_what_is_read_assigns_what_was_saved(tmp_path, kind):
    saved = quantiser(kind)
    saved.save(tmp_path / "q")
    for path in ("q", "q/quantiser.json", "q/quantiser.npz"):
        read = Quantiser.read(tmp_path / path)
        assert (read.k, read.dim, read.spec, read.seed, read.fit) == (4, 3, SPEC, 5, saved.fit)
        assert (read.hop_s, read.origin_s, read.normalisation.kind, read.digest) == (0.02, 0.0125, kind, saved.digest)
        assert read.assign(frames(2)).tolist() == saved.assign(frames(2)).tolist()
    assert set(saved.assign(frames(2)).tolist()) <= {0, 1, 2, 3}


def test_equal_quantisers_give_equal_bytes_and_any_tool_opens_the_arrays(tmp_path):
    for name in ("a", "b"):
        quantiser().save(tmp_path / name)
    for name in ("quantiser.json", "quantiser.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    with np.load(tmp_path / "a" / "quantiser.npz", allow_pickle=False) as arrays:
        assert {name: arrays[name].shape for name in arrays} == {"centres": (4, 3), "mean": (3,), "scale": (3,)}
    described = json.loads((tmp_path / "a" / "quantiser.json").read_text())
    assert described["encoder"] == SPEC.to_json()
    assert (described["k"], described["dim"], described["sha256"]["centres"]) == (4, 3, quantiser().digest)


def test_how_its_project_hears_recordings_is_kept_and_unknown_in_earlier_folders(tmp_path):
    heard = Hearing("first", SegmentSettings(threshold_db=-30.0, by="table", table="ready.tsv"))
    replace(quantiser(), heard=heard).save(tmp_path / "q")
    read = Quantiser.read(tmp_path / "q").heard
    assert (read.channel, read.at_silences) == ("first", SegmentSettings(threshold_db=-30.0))
    quantiser().save(tmp_path / "earlier")
    assert "heard" not in json.loads((tmp_path / "earlier" / "quantiser.json").read_text())
    assert Quantiser.read(tmp_path / "earlier").heard is None


def test_a_group_is_assigned_by_its_statistics():
    one = quantiser("group")
    own = statistics_of(frames(3) * 5 + 2)
    assert one.assign((frames(3) * 5 + 2)[:7], own).tolist() == one.assign(frames(3) * 5 + 2)[:7].tolist()


def test_frames_have_exact_times():
    np.testing.assert_allclose(quantiser().times_s(3), [0.0125, 0.0325, 0.0525], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "logmel"}, "name = 'mfcc', these frames 'logmel'"),
        ({"layer": 9}, "layer = -1, these frames 9"),
        ({"rate": 8000}, "rate = 16000, these frames 8000"),
        ({"hop_s": 0.01}, "hop_s = 0.02, these frames 0.01"),
        ({"origin_s": 0.0}, "origin_s = 0.0125, these frames 0.0"),
        ({"dim": 4}, "dim = 3, these frames 4"),
        ({"sha256": "a" * 64}, "sha256 = '', these frames 'aaa"),
        ({"version": 2}, "version = 1, these frames 2"),
        ({"window_samples": 400}, "window_samples = 0, these frames 400"),
    ],
)
def test_frames_made_otherwise_are_refused_by_name(change, words):
    with pytest.raises(UsageError, match=words):
        quantiser().refuse_spec(replace(SPEC, **change))


def test_what_changes_no_frame_is_not_refused():
    quantiser().refuse_spec(replace(SPEC, licence="unknown", least_samples=400))
    quantiser().refuse_spec(replace(SPEC, hop_s=0.0, origin_s=0.0), hop_s=0.02, origin_s=0.0125)
    with pytest.raises(UsageError, match="hop_s"):
        quantiser().refuse_spec(SPEC, hop_s=0.04)


def test_frames_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(60, 2\), not \(n, 3\)"):
        quantiser().assign(frames()[:, :2])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hop_s": 0.0}, "hop_s"),
        ({"seed": -1}, "seed"),
        ({"origin_s": float("nan")}, "origin_s"),
        ({"spec": replace(SPEC, dim=2)}, "encoder gives 2"),
        ({"normalisation": Normalisation("none", statistics_of(frames()[:, :2]))}, "mean and scale"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(quantiser(), **change)


def test_a_fit_that_no_training_gives_is_refused():
    with pytest.raises(ValueError, match="passes"):
        QuantiserFit(1, -1, 0.0)
    with pytest.raises(ValueError, match="usage"):
        QuantiserFit(1, 1, 0.0, usage=(1.5,))


def test_a_missing_quantiser_says_where_one_comes_from(tmp_path):
    with pytest.raises(UsageError, match="ossicle run"):
        Quantiser.read(tmp_path)


def edited(folder: Path, **changes: object) -> None:
    path = folder / "quantiser.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"k": 5},
        {"k": 10**9},
        {"k": "4"},
        {"dim": True},
        {"encoder": {"name": "mfcc"}},
        {"encoder": 3},
        {"hop_s": "0.02"},
        {"normalisation": "speaker"},
        {"normalisation": None},
        {"heard": []},
        {"heard": {"channel": "left", "segments": {}}},
        {"heard": {"channel": "mean", "segments": {"threshold_db": "loud"}}},
        {"heard": {"channel": "mean", "segments": {"loudness": 3}}},
        {"heard": {"channel": "mean", "segments": {"by": 3}}},
        {"heard": {"channel": "mean", "segments": {"min_silence_s": -1.0}}},
        {"fit": []},
        {"fit": {"frames": 1}},
        {"sha256": {}},
        {"sha256": None},
    ],
)
def test_a_damaged_description_is_refused_with_its_name(tmp_path, changes):
    quantiser().save(tmp_path)
    edited(tmp_path, **changes)
    with pytest.raises(ArtefactError, match="quantiser"):
        Quantiser.read(tmp_path)


def archive(compression: int = zipfile.ZIP_STORED, **arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as made:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, array, allow_pickle=True)
            made.writestr(f"{name}.npy", data.getvalue())
    return out.getvalue()


def test_damaged_arrays_are_refused_and_nothing_is_unpickled_or_decompressed(tmp_path):
    quantiser().save(tmp_path)
    path = tmp_path / "quantiser.npz"
    good = path.read_bytes()
    whole = {"centres": quantiser().centres, "mean": np.zeros(3, np.float32), "scale": np.ones(3, np.float32)}
    bad = {
        "empty": b"",
        "cut": good[:-40],
        "other values": good.replace(good[200:204], b"\0\0\1\1", 1),
        "compressed": archive(zipfile.ZIP_DEFLATED, **whole),
        "missing": archive(centres=quantiser().centres),
        "double": archive(**{**whole, "centres": quantiser().centres.astype(float)}),
        "objects": archive(**{**whole, "centres": np.array([[print] * 3] * 4)}),
        "other mean": archive(**{**whole, "mean": np.full(3, 9, np.float32)}),
    }
    for name, data in bad.items():
        path.write_bytes(data)
        with pytest.raises(ArtefactError, match=r"quantiser\.npz"):
            Quantiser.read(tmp_path)
        assert data != good, name
    path.unlink()
    with pytest.raises(ArtefactError, match=r"quantiser\.npz"):
        Quantiser.read(tmp_path)
