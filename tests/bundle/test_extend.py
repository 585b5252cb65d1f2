import pytest

from ossicle.bundle.extend import extend_bundle, refuse_other_content
from ossicle.bundle.format import read_bundle
from ossicle.bundle.runtimes.graph import graph_file
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.core.errors import ArtefactError, BundleError, UsageError

TOLD = {"model.int8.onnx": {"int8 in onnx": {"max_difference": 0.0123, "macro_auc_change": -0.0004}, "odd": 3}}


def test_a_bundle_grows_and_keeps_what_it_had(bundle, tmp_path):
    data = bundle.read_bytes("model.onnx")
    grown = extend_bundle(bundle, tmp_path / "b", {"model.int8.onnx": data}, {"exports": TOLD})
    assert grown == read_bundle(tmp_path / "b")
    assert set(grown.files) == set(bundle.files) | {"model.int8.onnx"}
    for name in set(bundle.files) - {"CARD.md"}:
        assert grown.read_bytes(name) == bundle.read_bytes(name)
    assert grown.provenance == {**bundle.provenance, "exports": TOLD}
    assert (grown.labels, grown.plan, grown.decisions) == (bundle.labels, bundle.plan, bundle.decisions)
    OnnxPredictor(grown, precision="int8")
    card = grown.read_bytes("CARD.md").decode()
    assert "| model.int8.onnx | int8 in onnx | 1.2e\\-02 | \\-0.0004 |" in card
    assert "exports:" not in card


def test_a_folder_that_is_there_is_replaced_only_when_asked(bundle, tmp_path):
    extend_bundle(bundle, tmp_path / "b", {}, {})
    with pytest.raises(ArtefactError):
        extend_bundle(bundle, tmp_path / "b", {}, {})
    extend_bundle(bundle, tmp_path / "b", {"more.txt": b"x"}, {}, replace=True)
    assert read_bundle(tmp_path / "b").read_bytes("more.txt") == b"x"


@pytest.mark.parametrize("name", ["../up.onnx", "a/b.onnx", "bundle.json"])
def test_names_that_a_reader_refuses_are_not_written(bundle, tmp_path, name):
    with pytest.raises(BundleError):
        extend_bundle(bundle, tmp_path / "b", {name: b"x"}, {})
    assert not (tmp_path / "b").exists()


def test_names_of_graphs():
    names = {graph_file(kind, one) for kind in ("model", "waveform", "folds") for one in ("fp32", "bf16", "int8")}
    assert len(names) == 9
    assert graph_file() == "model.onnx"


def test_nothing_but_a_bundle_is_replaced(bundle, tmp_path):
    project = tmp_path / "project"
    (project / "audio").mkdir(parents=True)
    (project / "audio" / "tape.wav").write_bytes(b"sound")
    with pytest.raises(UsageError, match=r"would be lost: audio/tape\.wav; move that"):
        extend_bundle(bundle, project, {}, {}, replace=True)
    assert (project / "audio" / "tape.wav").read_bytes() == b"sound"
    extend_bundle(bundle, tmp_path / "b", {}, {})
    (tmp_path / "b" / "notes.md").write_text("mine")
    with pytest.raises(UsageError, match=r"would be lost: notes\.md; move that"):
        extend_bundle(bundle, tmp_path / "b", {}, {}, replace=True)
    (tmp_path / "b" / "bundle.json").write_text("{}")
    with pytest.raises(UsageError, match=r"b/bundle\.json cannot be read, .*; move what is yours out .* and remove it"):
        extend_bundle(bundle, tmp_path / "b", {}, {}, replace=True)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        extend_bundle(bundle, tmp_path / "file", {}, {}, replace=True)
    assert (tmp_path / "file").read_text() == "mine"


def test_files_of_the_user_beside_and_below_a_bundle_stay(bundle, tmp_path):
    folder = tmp_path / "b"
    extend_bundle(bundle, folder, {"encoder.pt": b"weights"}, {})
    (folder / ".gitignore").write_text("*")
    refuse_other_content(folder)
    for name in ("NOTES.md", "docs/readme.md", "mine.onnx", "members/mine.json", ".git/HEAD"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
        with pytest.raises(UsageError, match=f"would be lost: {name}; "):
            refuse_other_content(folder)
        (folder / name).unlink()


def test_a_link_is_refused_before_any_work(bundle, tmp_path):
    (tmp_path / "link").symlink_to(bundle.folder)
    with pytest.raises(UsageError, match="link is a symbolic link to "):
        refuse_other_content(tmp_path / "link")
