import dataclasses
import hashlib
import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossicle.bundle.format import BUNDLE_VERSION, read_bundle
from ossicle.core.errors import ArtefactError, BundleError
from ossicle.core.model_input.chunks import ChunkPlan, framing

from .manifest_edits import edit, remover, setter


def test_what_is_written_is_read(bundle):
    again = read_bundle(bundle.folder)
    assert again == bundle
    assert again.version == BUNDLE_VERSION
    assert again.labels == ("call", "a|b <i>", "Zaunkönig")
    assert again.decisions["call"].off == 0.3
    assert again.plan.core_frames == 20
    assert set(again.files) == {"model.onnx", "waveform.onnx", "weights.safetensors", "CARD.md"}
    assert again.read_bytes("weights.safetensors").endswith(b"{}      ")


def test_equal_arguments_give_equal_bytes(tmp_path, write):
    one, two = write(tmp_path / "one"), write(tmp_path / "two")
    assert (one.folder / "bundle.json").read_bytes() == (two.folder / "bundle.json").read_bytes()
    assert one.files == two.files


def test_front_end_keys_that_came_later_are_written_only_where_they_say_something(tmp_path, write, bundle):
    manifest = json.loads((bundle.folder / "bundle.json").read_text())
    assert set(manifest["front"]) == {"rate", "n_fft", "hop_samples", "n_mels", "fmin_hz", "fmax_hz", "floor_db"}
    front = dataclasses.replace(bundle.front, scale="linear", preemphasis=0.98, window_scale="energy")
    known = write(tmp_path / "known", front=front)
    assert read_bundle(known.folder).front == front
    edit(known, remover("front", "preemphasis"))
    assert read_bundle(known.folder).front == dataclasses.replace(front, preemphasis=0.0)
    edit(known, setter("front", "scale", value="bark"))
    with pytest.raises(BundleError, match="front cannot be used: scale = 'bark' is not one of: mel, linear"):
        read_bundle(known.folder)


@pytest.mark.parametrize(("hop", "frames"), [(160, 2 * 19 + 5), (100, 20 * 5)])
def test_a_plan_of_windows_is_read_back_with_the_rows_its_spectrogram_has(tmp_path, write, graphs, hop, frames):
    plan = ChunkPlan(rate=8000, hop_samples=hop, window_samples=576, core_frames=20, context_frames=0)
    graph = graphs(frames=frames, context=0).SerializeToString()
    written = write(tmp_path / "windows", plan=plan, files={"model.onnx": graph})
    assert read_bundle(written.folder).plan == plan
    assert framing(plan, written.front).n_frames == frames


def test_a_moved_bundle_is_the_same(bundle, tmp_path):
    bundle.folder.rename(tmp_path / "elsewhere")
    assert dataclasses.replace(read_bundle(tmp_path / "elsewhere"), folder=bundle.folder) == bundle


def test_files_may_be_given_as_paths(tmp_path, write, graphs):
    (tmp_path / "g.onnx").write_bytes(graphs().SerializeToString())
    assert write(tmp_path / "b", files={"model.onnx": tmp_path / "g.onnx"}).files["model.onnx"].bytes > 100


def test_an_existing_bundle_is_replaced_only_when_asked(tmp_path, write):
    write(tmp_path / "b")
    with pytest.raises(ArtefactError, match="exists"):
        write(tmp_path / "b", name="other")
    assert read_bundle(tmp_path / "b").name == "tapes-v1"
    assert write(tmp_path / "b", name="other", replace=True).name == "other"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ("call", "call")}, "labels contains a text twice"),
        ({"labels": ("call",)}, "decisions"),
        ({"metrics": {"f1": float("nan")}}, "cannot be written as JSON"),
        ({"metrics": {"f1": object()}}, "cannot be written as JSON"),
        ({"name": "../up"}, "name"),
        ({"files": {"../model.onnx": b""}}, "files"),
        ({"files": {"weights.safetensors": b""}}, "neither"),
    ],
)
def test_a_bundle_that_could_not_be_read_is_not_written(tmp_path, write, change, message):
    with pytest.raises(BundleError, match=message):
        write(tmp_path / "b", **change)
    assert list(tmp_path.iterdir()) == []


HOSTILE = [
    (setter("bundle_version", value=BUNDLE_VERSION + 1), r"bundle_version = 2 is newer.*update"),
    (setter("bundle_version", value=0), "bundle_version"),
    (setter("bundle_version", value="1"), "bundle_version is not a whole number"),
    (setter("bundle_version", value=True), "bundle_version is not a whole number"),
    (remover("bundle_version"), "bundle_version is missing"),
    (remover("labels"), "labels is missing"),
    (remover("plan", "rate"), r"plan\.rate is missing"),
    (remover("decisions", "call"), r"decisions\.call is missing"),
    (setter("more", value=1), "more is unknown"),
    (setter("front", "centre", value=True), r"front\.centre is unknown"),
    (setter("plan", "rate", value="8000"), r"plan\.rate is not of type int"),
    (setter("plan", "rate", value=8000.0), r"plan\.rate is not of type int"),
    (setter("plan", "rate", value=16000), r"plan does not fit front.*rate: 16000 and 8000"),
    (setter("plan", "hop_samples", value=160), r"plan does not fit front.*hop_samples: 160 and 80"),
    (setter("plan", "window_samples", value=512), r"plan does not fit front.*window_samples.*512"),
    (setter("plan", "hop_samples", value=81), "plan cannot be used.*even"),
    (setter("plan", "core_frames", value=10**9), "plan.*more than"),
    (setter("front", "n_mels", value=10**6), "front cannot be used: n_mels = 1000000 must be at most 1024"),
    (setter("front", "fmax_hz", value=1e999), "not a number|not of type"),
    (setter("decisions", "call", "on", value=7), r"decisions\.call cannot be used: on = 7"),
    (setter("decisions", "call", "on", value=None), r"decisions\.call\.on is not of type float"),
    (setter("labels", value=[]), "labels is not a list"),
    (setter("labels", value=["x"] * 20_001), "labels is not a list of 1 to 20000"),
    (setter("labels", 0, value="x" * 201), r"labels\[0\] is longer"),
    (setter("labels", 0, value="a\u202eb"), r"labels\[0\] contains control"),
    (setter("labels", 0, value="a\nb"), r"labels\[0\] contains control"),
    (setter("labels", 0, value="\x1b[2J"), r"labels\[0\] contains control"),
    (setter("labels", 0, value=" call"), r"labels\[0\] contains control characters or outer"),
    (setter("name", value="a/b"), "name.*plain name"),
    (setter("metrics", value=[]), "metrics is not an object"),
    (setter("files", value={}), "neither"),
    (setter("files", "../evil", value={"sha256": "0" * 64, "bytes": 1}), "plain name"),
    (setter("files", "/etc/passwd", value={"sha256": "0" * 64, "bytes": 1}), "plain name"),
    (setter("files", "a\\b", value={"sha256": "0" * 64, "bytes": 1}), "plain name"),
    (setter("files", "..", value={"sha256": "0" * 64, "bytes": 1}), "plain name"),
    (setter("files", "bundle.json", value={"sha256": "0" * 64, "bytes": 1}), "itself"),
    (setter("files", "MODEL.onnx", value={"sha256": "0" * 64, "bytes": 1}), "case"),
    (setter("files", "absent.bin", value={"sha256": "0" * 64, "bytes": 1}), "absent.bin is missing"),
    (setter("files", "model.onnx", "bytes", value=1 << 40), r"files\.model\.onnx\.bytes"),
    (setter("files", "model.onnx", "bytes", value=-1), r"files\.model\.onnx\.bytes"),
    (setter("files", "model.onnx", "bytes", value=5), "has .* bytes"),
    (setter("files", "model.onnx", "sha256", value="0" * 64), "differs from its digest"),
    (setter("files", "model.onnx", "sha256", value="xyz"), "sha256"),
    (setter("files", value={f"f{i}": {"sha256": "0" * 64, "bytes": 1} for i in range(99)}), "more than 32"),
]


@pytest.mark.parametrize(("change", "message"), HOSTILE)
def test_hostile_manifests_are_refused_by_key(bundle, change, message):
    edit(bundle, change)
    with pytest.raises(BundleError, match=message) as caught:
        read_bundle(bundle.folder)
    assert str(bundle.folder) in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_manifest_is_refused(bundle, data):
    (bundle.folder / "bundle.json").write_bytes(data)
    with pytest.raises(BundleError, match=r"bundle\.json"):
        read_bundle(bundle.folder)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_one_value_replaced_is_refused_or_read_but_never_crashes(bundle, data):
    original = (bundle.folder / "bundle.json").read_text()
    manifest = json.loads(original)
    at, keys = manifest, []
    while isinstance(at, dict) and at:
        keys.append(data.draw(st.sampled_from(sorted(at))))
        at = at[keys[-1]]
        if data.draw(st.booleans()):
            break
    setter(*keys, value=data.draw(st.sampled_from([None, True, -1, 0, 2**70, 1.5, "", "x", [], {}, [[]], {"": 1}])))(
        manifest
    )
    (bundle.folder / "bundle.json").write_text(json.dumps(manifest))
    try:
        read_bundle(bundle.folder)
    except BundleError:
        pass
    finally:
        (bundle.folder / "bundle.json").write_text(original)


def test_damage_of_any_file_is_found(bundle):
    for name in bundle.files:
        path = bundle.folder / name
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(BundleError, match=f"{name} differs"):
            read_bundle(bundle.folder)
        with pytest.raises(BundleError, match=f"{name} differs"):
            bundle.read_bytes(name)
        path.write_bytes(good + b"more")
        with pytest.raises(BundleError, match="bytes"):
            bundle.read_bytes(name)
        path.write_bytes(good)
    read_bundle(bundle.folder)


def test_links_are_refused_even_to_the_same_bytes(bundle, tmp_path):
    path = bundle.folder / "model.onnx"
    path.rename(tmp_path / "outside")
    os.symlink(tmp_path / "outside", path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == bundle.files["model.onnx"].sha256
    with pytest.raises(BundleError, match="symbolic link"):
        read_bundle(bundle.folder)
    with pytest.raises(BundleError, match="symbolic link"):
        bundle.read_bytes("model.onnx")


def test_a_linked_manifest_and_a_giant_one_are_refused(bundle, tmp_path):
    path = bundle.folder / "bundle.json"
    path.rename(tmp_path / "outside.json")
    os.symlink(tmp_path / "outside.json", path)
    with pytest.raises(BundleError, match="symbolic link"):
        read_bundle(bundle.folder)
    path.unlink()
    with open(path, "wb") as handle:
        handle.truncate(1 << 30)
    with pytest.raises(BundleError, match="larger than"):
        read_bundle(bundle.folder)


@pytest.mark.parametrize(
    ("plan", "front", "message"),
    [
        (
            {"window_samples": 1 << 20},
            {"n_fft": 1 << 20},
            "front cannot be used: n_fft = 1048576 must be at most 65536",
        ),
        ({"hop_samples": 2, "core_frames": 1 << 22}, {"hop_samples": 2}, "a chunk's spectrogram.*more than"),
        ({"core_frames": 1 << 40}, {}, "its chunk in samples.*more than"),
    ],
)
def test_a_plan_that_would_fill_the_memory_is_refused(bundle, plan, front, message):
    def change(manifest):
        manifest["plan"] |= plan
        manifest["front"] |= front

    edit(bundle, change)
    with pytest.raises(BundleError, match=message):
        read_bundle(bundle.folder)


@pytest.mark.parametrize(
    "name",
    ["a/../b", "a/b", "C:x", "C:\\x", "\\\\host\\x", "//host/x", "a\0b", "~x", ".hidden", "con:", "a\n", "x" * 101, ""],
)
def test_names_that_lead_elsewhere_are_refused_on_every_system(bundle, name):
    edit(bundle, setter("files", name, value={"sha256": "0" * 64, "bytes": 1}))
    with pytest.raises(BundleError, match="plain name") as caught:
        read_bundle(bundle.folder)
    assert str(caught.value).isprintable()


def test_a_file_for_others_to_read_is_listed_whole_and_no_link(bundle, tmp_path):
    assert bundle.checked_path("weights.safetensors") == bundle.folder / "weights.safetensors"
    with pytest.raises(BundleError, match=r"has no other\.safetensors"):
        bundle.checked_path("other.safetensors")
    path = bundle.folder / "weights.safetensors"
    good = path.read_bytes()
    for bad in (good + b"more", good[:-1] + b"x"):
        path.write_bytes(bad)
        with pytest.raises(BundleError, match="copy the bundle again"):
            bundle.checked_path("weights.safetensors")
    path.rename(tmp_path / "outside")
    (tmp_path / "outside").write_bytes(good)
    os.symlink(tmp_path / "outside", path)
    with pytest.raises(BundleError, match="symbolic link"):
        bundle.checked_path("weights.safetensors")


def test_what_is_no_folder_or_lacks_a_manifest_is_named(tmp_path, bundle):
    with pytest.raises(BundleError, match="not a folder"):
        read_bundle(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=r"bundle\.json is missing"):
        read_bundle(tmp_path / "empty")
    with pytest.raises(BundleError, match=r"has no other\.onnx"):
        bundle.read_bytes("other.onnx")
