import json
from dataclasses import replace

import pytest

from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Clip, Recording
from ossicle.corpus.splits.folds import FoldEntry, SplitSettings, make_folds
from ossicle.corpus.splits.leak_audit import audit, require_no_leak


def corpus() -> tuple[list[Recording], list[Annotation], dict[str, FoldEntry]]:
    recordings = [
        Recording(f"r{i}", "tapes", f"{i}.wav", 8000, 1, 8000 * (10 + i), f"d{i}", True, fields={"site": "AABBCC"[i]})
        for i in range(6)
    ]
    annotations = [Annotation(r.id, 1.0, 1.5, label) for r in recordings for label in ("hum", "hum", "trill")]
    return recordings, annotations, make_folds(recordings, annotations, SplitSettings(group="site"))


def test_a_clean_split() -> None:
    recordings, annotations, folds = corpus()
    clips = [Clip(r.id, 0.0, 1.0, "noise", folds[r.id].fold, folds[r.id].group) for r in recordings]
    leak_audit = audit(folds, recordings, annotations, clips, group="site")
    assert leak_audit.ok
    assert leak_audit.reasons() == ()
    require_no_leak(leak_audit)
    assert [(f.fold, f.recordings, f.seconds, f.annotations) for f in leak_audit.folds] == [
        (0, 2, 21.0, {"hum": 4, "trill": 2}),
        (1, 2, 25.0, {"hum": 4, "trill": 2}),
        (2, 2, 29.0, {"hum": 4, "trill": 2}),
    ]
    plain = json.loads(json.dumps(leak_audit.as_json()))
    assert plain["ok"] is True
    assert plain["folds"][0] == {"fold": 0, "recordings": 2, "seconds": 21.0, "annotations": {"hum": 4, "trill": 2}}


def test_a_cut_group_is_found_although_the_folds_claim_otherwise() -> None:
    recordings, annotations, folds = corpus()
    folds["r1"] = FoldEntry("C", 2)
    leak_audit = audit(folds, recordings, annotations, group="site")
    assert leak_audit.groups_cut == ("A",)
    assert not leak_audit.ok


def test_copies_of_a_file_in_two_folds_are_listed_by_both_names() -> None:
    recordings, annotations, folds = corpus()
    recordings[5] = replace(recordings[5], digest="d0")
    leak_audit = audit(folds, recordings, annotations, group="site")
    assert [(equal_audio.files, equal_audio.folds) for equal_audio in leak_audit.equal_audio] == [
        (("tapes/0.wav", "tapes/5.wav"), (0, 2))
    ]
    with pytest.raises(SplitError, match=r"tapes/0\.wav, tapes/5\.wav"):
        require_no_leak(leak_audit)
    assert leak_audit.as_json()["ok"] is False


def test_copies_within_a_fold_and_unknown_digests_are_no_leak() -> None:
    recordings, annotations, folds = corpus()
    recordings[1] = replace(recordings[1], digest="d0")
    recordings[2], recordings[4] = replace(recordings[2], digest=""), replace(recordings[4], digest="")
    assert audit(folds, recordings, annotations, group="site").ok


def test_windows_of_one_recording_in_two_folds() -> None:
    recordings, annotations, folds = corpus()
    clips = [Clip("r0", 0.0, 1.0, "window", 0, "A"), Clip("r0", 2.0, 3.0, "window", 1, "A")]
    leak_audit = audit(folds, recordings, annotations, clips, group="site")
    assert leak_audit.recordings_cut == ("tapes/0.wav",)
    assert leak_audit.groups_cut == ("A",)


def test_a_recording_listed_twice_and_strangers() -> None:
    recordings, annotations, folds = corpus()
    leak_audit = audit(
        folds, [*recordings, recordings[3]], annotations, [Clip("x", 0, 1, "noise", 0, "A")], group="site"
    )
    assert leak_audit.recordings_cut == ("tapes/3.wav",)
    assert leak_audit.strangers == ("x",)
    assert len(leak_audit.reasons()) == 2
