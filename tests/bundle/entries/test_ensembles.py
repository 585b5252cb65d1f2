"""Bundles of several models: written and read back, run from one decoding, and refused where something was changed."""

import json
import shutil

import numpy as np
import pytest

from ossicle.app.api.bundles.engine import Engine, open_predictor
from ossicle.audio.wav import write_wav
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.entries.ensembles import RANKS, rank_bytes
from ossicle.bundle.extend import refuse_other_content
from ossicle.bundle.format import member_bundles, read_bundle, write_bundle
from ossicle.core.errors import BundleError, UsageError
from ossicle.core.scores.combination import Combination
from ossicle.core.scores.postprocess import Postprocess
from ossicle.inference import batch
from ossicle.inference.batch import predict_file, score_recording, stream_file
from ossicle.inference.delivery import bundled_delivery
from ossicle.inference.ensembles.combining import combine, rank_table

HOW = Combination(rule="vlom", weights=(0.25, 0.75))


@pytest.fixture
def members(tmp_path, write, graphs):
    """Two bundles whose graphs differ, the second with its labels in another order."""
    one = write(tmp_path / "one", name="one")
    other = graphs(context=6)
    weights = other.graph.initializer[0]
    values = np.frombuffer(weights.raw_data, np.float32) * -0.7
    weights.raw_data = values.tobytes()
    two = write(tmp_path / "two", other, name="two", labels=one.labels[::-1])
    return {"one": one, "two": two}


def ensembled(folder, members, how=HOW, **changes):
    first = next(iter(members.values()))
    arguments = {
        "name": "both",
        "labels": first.labels,
        "plan": first.plan,
        "front": first.front,
        "decisions": first.decisions,
    }
    files, replace = changes.pop("files", {}), changes.pop("replace", False)
    description = BundleDescription(**(arguments | changes))
    return write_bundle(folder, description, files, members=members, combination=how, replace=replace)


@pytest.fixture
def ensemble(tmp_path, members):
    return ensembled(tmp_path / "both", members)


@pytest.fixture
def tape(tmp_path):
    place = tmp_path / "tape.wav"
    samples = 0.2 * np.random.default_rng(0).standard_normal(8000 * 5)
    write_wav(place, samples.astype(np.float32), 8000)
    return place


def scores_of(bundle, tape):
    return score_recording(tape, open_predictor(bundle, Engine()))[0].scores


def test_it_is_read_back_as_it_was_written(ensemble, members):
    assert read_bundle(ensemble.folder) == ensemble
    assert ensemble.ensemble.combination == HOW
    result = member_bundles(ensemble)
    assert list(result) == ["one", "two"]
    for name, bundle in result.items():
        assert bundle.folder == ensemble.folder / "members" / name
        assert (bundle.labels, bundle.files) == (members[name].labels, members[name].files)


def test_equal_ensembles_are_equal_bytes(tmp_path, members):
    first, again = (ensembled(tmp_path / name, members) for name in "ab")
    files = [sorted(one.folder.rglob("*")) for one in (first, again)]
    assert [place.relative_to(first.folder) for place in files[0]] == [
        place.relative_to(again.folder) for place in files[1]
    ]
    for one, other in zip(*files, strict=True):
        assert one.is_dir() or one.read_bytes() == other.read_bytes()


def test_its_scores_are_those_of_its_members_by_its_rule(ensemble, members, tape):
    one, two = (scores_of(members[name], tape) for name in ("one", "two"))
    assert np.abs(one - two[:, ::-1]).max() > 0.05
    expected = combine(np.stack([one, two[:, ::-1]]), HOW)
    np.testing.assert_allclose(scores_of(ensemble, tape), expected, atol=1e-6)


def test_a_recording_is_decoded_once_for_all_members(ensemble, tape, monkeypatch):
    opened = []

    class Counted(batch.MonoStream):
        def __init__(self, *arguments, **options):
            opened.append(arguments)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(batch, "MonoStream", Counted)
    predictor = open_predictor(ensemble, Engine())
    prediction = predict_file(tape, predictor, ensemble.decisions, delivery=bundled_delivery(ensemble))
    assert prediction.status == "ok"
    assert len(opened) == 1


def test_the_stream_is_the_file(ensemble, tape):
    predictor = open_predictor(ensemble, Engine())
    expected = predict_file(tape, predictor, ensemble.decisions).events
    assert expected
    for feed_s in (0.03, 1.0):
        live = [emitted_event.event for emitted_event in stream_file(tape, predictor, ensemble.decisions, feed_s)]
        assert sorted(live, key=lambda event: (event.start_s, event.end_s, event.label)) == list(expected)


def test_ranks_travel_with_it(tmp_path, members, tape):
    own = np.stack([scores_of(members["one"], tape), scores_of(members["two"], tape)[:, ::-1]])
    tables = np.stack([rank_table(one) for one in own])
    how = Combination(rule="rank")
    result = ensembled(tmp_path / "ranked", members, how, files={RANKS: rank_bytes(tables)})
    np.testing.assert_allclose(scores_of(result, tape), combine(own, how, tables), atol=2e-3)
    for wrong in (tables[:1], tables[:, ::-1], tables[:, :, :2]):
        with pytest.raises(BundleError, match=RANKS):
            open_predictor(
                ensembled(tmp_path / "wrong", members, how, files={RANKS: rank_bytes(wrong)}, replace=True), Engine()
            )
    with pytest.raises(BundleError, match=RANKS):
        open_predictor(ensembled(tmp_path / "without", members, how), Engine())


def test_a_changed_member_is_refused(ensemble, members, tmp_path, write):
    place = ensemble.folder / "members" / "two"
    (place / "model.onnx").write_bytes(b"something else")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        read_bundle(ensemble.folder)
    shutil.rmtree(place)
    with pytest.raises(BundleError, match="two"):
        read_bundle(ensemble.folder)
    # A bundle that is whole by itself, and another one.
    write(place, name="other")
    with pytest.raises(BundleError, match=r"bundle\.json differs from its digest"):
        read_bundle(ensemble.folder)
    shutil.rmtree(place)
    place.symlink_to(members["two"].folder)
    with pytest.raises(BundleError, match="symbolic link"):
        read_bundle(ensemble.folder)


def test_an_ensemble_of_ensembles_is_refused(ensemble, members, tmp_path):
    with pytest.raises(BundleError, match="is itself an ensemble"):
        ensembled(tmp_path / "nested", {"both": ensemble, "one": members["one"]})


def test_other_labels_are_refused(tmp_path, members, write, graphs):
    other = write(
        tmp_path / "other",
        graphs(labels=1),
        labels=("call",),
        decisions={"call": next(iter(members["one"].decisions.values()))},
    )
    with pytest.raises(BundleError, match="labels are not those of the ensemble"):
        ensembled(tmp_path / "bad", {"one": members["one"], "other": other})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda of: of.update(rule="median"), "rule"),
        (lambda of: of.update(weights=[1.0]), "the length 1, but there are 2 members"),
        (lambda of: of.update(weights=[float("inf"), 1.0]), "weights|not a number"),
        (lambda of: of.update(weights="much"), "weights"),
        (lambda of: of.update(members=[]), "members"),
        (lambda of: of["members"][0].update(name="../up"), "plain name"),
        (lambda of: of["members"][0].update(sha256="0" * 63), "64 hexadecimal"),
        (lambda of: of["members"][1].update(name="ONE"), "contains a name twice"),
        (lambda of: of.update(more=1), "unknown"),
    ],
)
def test_a_manifest_that_says_nonsense_is_refused(ensemble, change, words):
    place = ensemble.folder / "bundle.json"
    value = json.loads(place.read_text())
    change(value["ensemble"])
    place.write_text(json.dumps(value))
    with pytest.raises(BundleError, match=words):
        read_bundle(ensemble.folder)


def test_the_card_names_members_and_weights(ensemble):
    card = (ensemble.folder / "CARD.md").read_text()
    assert "rule vlom from those of 2 models with their weights: one (0.250), two (0.750)" in card


def test_post_processing_is_part_of_a_bundle(tmp_path, write, tape):
    how = Postprocess(kernel=(1.0, 2.0, 1.0), file_prior_top=2, file_prior_power=0.5)
    result = write(tmp_path / "post", postprocess=how)
    assert read_bundle(result.folder).postprocess == how
    assert "streams are refused" in (result.folder / "CARD.md").read_text()
    plain = write(tmp_path / "plain")
    assert "postprocess" not in json.loads((plain.folder / "bundle.json").read_text())
    value = json.loads((result.folder / "bundle.json").read_text())
    for key, wrong in (("kernel", [1.0, 2.0]), ("kernel", [None]), ("file_prior_top", -1), ("file_prior_power", 0.0)):
        (result.folder / "bundle.json").write_text(
            json.dumps({**value, "postprocess": {**value["postprocess"], key: wrong}})
        )
        with pytest.raises(BundleError, match=key):
            read_bundle(result.folder)


def test_files_of_the_user_in_the_folders_of_members_stay(ensemble):
    refuse_other_content(ensemble.folder)
    own = ensemble.folder / "members" / "two" / "NOTES.md"
    own.write_text("mine")
    with pytest.raises(UsageError, match=r"would be lost: members/two/NOTES\.md; "):
        refuse_other_content(ensemble.folder)
    own.unlink()
    (own.parent / "bundle.json").write_text("{}")
    with pytest.raises(UsageError, match=r"members/two/bundle\.json cannot be read"):
        refuse_other_content(ensemble.folder)
