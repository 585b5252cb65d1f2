"""Bundles made to hang, to crash or to give orders: a line that names file and key, at once."""

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.artefacts.array_files.arrays import arrays_from_bytes
from ossicle.audio.features.event_features import EventFeatureSettings
from ossicle.bundle.format import read_bundle
from ossicle.bundle.manifest import parse
from ossicle.bundle.reading import parse_object
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.bundle.runtimes.onnx_scan import require_safe_graph
from ossicle.core.errors import ArtefactError, BundleError
from ossicle.inference.second_stage.candidates import CANDIDATE_FEATURES
from ossicle.inference.second_stage.file import read_second_stage


@pytest.fixture
def folder(tmp_path: Path, repository: Path) -> Path:
    """A copy of an old bundle."""
    return Path(shutil.copytree(repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle", tmp_path / "bundle"))


Change = Callable[[dict[str, Any]], object]


def calibrated(value: dict[str, Any]) -> Change:
    return lambda manifest: manifest.update(calibration={manifest["labels"][0]: value})


def decided(**values: object) -> Change:
    return lambda manifest: [decision.update(values) for decision in manifest["decisions"].values()]


HUGE = 10**400
CHANGES: dict[str, tuple[Change, str]] = {
    "slope of 400 digits": (
        calibrated({"kind": "platt", "slope": HUGE, "offset": 0}),
        "slope is a number of 401 digits",
    ),
    "slope that overflows": (calibrated({"kind": "platt", "slope": 1e308, "offset": 0}), "slope contains 1e\\+308"),
    "knot of 400 digits": (
        calibrated({"kind": "isotonic", "logits": [0, HUGE], "probabilities": [0, 1]}),
        "401 digits",
    ),
    "median over a billion": (decided(smoothing="median", smoothing_frames=10**9 + 1), "must be at most 100001"),
    "median over a trillion": (decided(smoothing="median", smoothing_frames=10**12 + 1), "must be at most 100001"),
    "average over 400 digits": (decided(smoothing="ema", smoothing_frames=HUGE), "401 digits"),
    "average over 31 digits": (decided(smoothing="ema", smoothing_frames=10**30), "must be at most 100001"),
    "floor without end": (lambda manifest: manifest["front"].update(floor_db=-1e308), "must be at least -300"),
    "escape in a key": (lambda manifest: manifest.update(provenance={"\x1b[2J": "x"}), r"provenance.*contains U\+001B"),
    "escape in a value": (
        lambda manifest: manifest.update(model={"name": "\x1b]0;x\x07"}),
        r"model\.name contains U\+",
    ),
    "escape in a list": (
        lambda manifest: manifest.update(metrics={"a": [{"b": "\x9b"}]}),
        r"metrics\.a\[0\]\.b contains",
    ),
    "direction": (lambda manifest: manifest.update(split={"a": "\u202e"}), r"split\.a contains U\+202E"),
    "surrogate": (lambda manifest: manifest.update(provenance={"a": "\ud800"}), r"provenance\.a contains U\+D800"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_hostile_manifest_is_refused_with_its_key(folder: Path, name: str) -> None:
    change, words = CHANGES[name]
    manifest = json.loads((folder / "bundle.json").read_text())
    change(manifest)
    (folder / "bundle.json").write_text(json.dumps(manifest))
    began = time.process_time()
    with pytest.raises(BundleError, match=words) as caught:
        read_bundle(folder)
    assert str(caught.value).startswith(str(folder / "bundle.json"))
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("text", ["1e999", "-1e999", "9" * 5000, "NaN", "Infinity"])
def test_numbers_that_are_none_are_refused_anywhere(text: str) -> None:
    with pytest.raises(BundleError, match=r"x: |x contains|x is not"):
        parse_object(f'{{"a": [{text}]}}'.encode(), Path("x"))


def test_a_key_that_occurs_twice_is_found_at_once() -> None:
    # To compare all with all takes seconds, and for the 700,000 keys of an attack hours.
    keys = ",".join(f'"{number}":0' for number in range(30_000))
    began = time.process_time()
    with pytest.raises(BundleError, match="key '29999' occurs twice"):
        parse_object(f'{{{keys},"29999":0}}'.encode(), Path("x"))
    assert time.process_time() - began < 1.0


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(10**50), 10**50), st.floats(), st.text(st.characters()), st.just(HUGE)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(st.characters()), inner, max_size=4)),
    max_leaves=8,
)


@given(st.data())
def test_any_value_in_the_place_of_another_is_read_or_refused(repository: Path, data: st.DataObject) -> None:
    place = repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle"
    manifest: Any = json.loads((place / "bundle.json").read_text())
    manifest.update(calibration={manifest["labels"][0]: {"kind": "platt", "slope": 1.0, "offset": 0.0}})
    target = manifest
    key = data.draw(st.sampled_from(sorted(target)))
    while isinstance(target[key], dict) and target[key] and data.draw(st.booleans()):
        target = target[key]
        key = data.draw(st.sampled_from(sorted(target)))
    target[key] = data.draw(JSON)
    # Nothing but the error of a bundle, which names the file.
    with contextlib.suppress(BundleError):
        parse(json.dumps(manifest).encode(), place)


def arrays_file(header: dict[str, Any], body: bytes = b"") -> bytes:
    head = json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + body


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [0, (1 << 48) - 1, (1 << 48) - 1], "data_offsets": [0, 0]}},
        {"a": {"dtype": "F64", "shape": [(1 << 47), 0, 2], "data_offsets": [0, 0]}},
        {"a": {"dtype": "F32", "shape": [HUGE], "data_offsets": [0, 0]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [HUGE, HUGE]}},
        {"\ud800": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}},
        {"__metadata__": {"second_stage": "\ud800"}},
        {"__metadata__": {"\udfff": "x"}},
    ],
)
def test_arrays_of_absurd_shapes_and_names_are_refused(header: dict[str, Any]) -> None:
    with pytest.raises(ArtefactError, match="x: "):
        arrays_from_bytes(arrays_file(header), "x")
    with pytest.raises(BundleError, match="x: "):
        read_second_stage(arrays_file(header), Path("x"))


def test_a_second_stage_with_a_number_of_400_digits_is_refused() -> None:
    about = {"version": 1, "kind": "trees", "lower_on": HUGE, "columns": list(CANDIDATE_FEATURES), "labels": {}}
    about |= {"features": asdict(EventFeatureSettings(rate=8000, n_fft=256, hop_samples=80, fmax_hz=4000.0))}
    data = arrays_file({"__metadata__": {"second_stage": json.dumps(about)}})
    with pytest.raises(BundleError, match="x: lower_on is a number of 401 digits"):
        read_second_stage(data, Path("x"))


@given(st.lists(st.integers(0, 1 << 48), max_size=9), st.binary(max_size=16))
def test_any_shape_is_an_array_or_refused(shape: list[int], body: bytes) -> None:
    header = {"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, len(body)]}}
    try:
        arrays, _ = arrays_from_bytes(arrays_file(header, body), "x")
    except ArtefactError:
        return
    assert list(arrays["a"].shape) == shape


def ort_model(folder: Path) -> bytes:
    """The model of a bundle in onnxruntime's own format."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "m.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    return (folder / "m.ort").read_bytes()


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def polyglot(data: bytes) -> bytes:
    """The same behind bytes that read as fields of an ONNX model; the root of the flatbuffer moves by ``shift``."""
    root = int.from_bytes(data[:4], "little")
    first, shift = next(
        (one, (0x09 << 16 | one << 8 | 0x08) - root)
        for one in range(128)
        if ((0x09 << 16 | one << 8 | 8) - root) % 16 == 0
    )
    head = bytes([0x08, first, 0x09, 0x00]) + b"ORTM" + bytes(3)
    rest = shift + len(data) - len(head)
    field = b"\x12" + varint(rest - 1 - len(varint(rest - 4)))
    return (head + field).ljust(shift, b"\0") + data


@pytest.mark.parametrize("kind", ["plain", "polyglot"])
def test_a_model_in_onnxruntimes_own_format_is_refused(
    folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ort_model(folder) if kind == "plain" else polyglot(ort_model(folder))
    # It runs where nobody says what format a model has.
    onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    with pytest.raises(BundleError, match="x is not an ONNX model"):
        require_safe_graph(data, "x")
    manifest = json.loads((folder / "bundle.json").read_text())
    (folder / "model.onnx").write_bytes(data)
    manifest["files"]["model.onnx"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (folder / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="is not an ONNX model"):
        OnnxPredictor(read_bundle(folder))
    # Not even where the scan lets it pass.
    monkeypatch.setattr("ossicle.bundle.runtimes.graph.require_safe_graph", lambda *_: None)
    with pytest.raises(BundleError, match="cannot be loaded"):
        OnnxPredictor(read_bundle(folder))


def test_a_good_bundle_still_runs(folder: Path) -> None:
    predictor = OnnxPredictor(read_bundle(folder))
    scores = predictor.predict(np.zeros((1, predictor.plan.chunk_samples), dtype=np.float32))
    assert np.isfinite(scores).all()
