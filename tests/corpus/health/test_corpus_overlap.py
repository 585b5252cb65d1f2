from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.errors import UsageError
from ossicle.core.records import Recording
from ossicle.corpus.health.corpus_overlap import Overlap, Shared, Unchecked, corpus_overlap, require_apart
from ossicle.corpus.indexing.corpus_index import CorpusIndex


def recording(path: str, digest: str, root: str = "train", **fields: str) -> Recording:
    return Recording(f"{root}/{path}", root, path, 8000, 1, 8000, digest, fields={"recording": path, **fields})


def corpus(*recordings: Recording) -> CorpusIndex:
    return CorpusIndex(recordings, ())


def test_defect_3_tapes_and_animals_of_the_training_corpus_in_the_benchmark_are_found():
    train = corpus(recording("a.wav", "1", animal="LUNA", tape="t1"), recording("b.wav", "2", animal="ITO", tape="t2"))
    bench = corpus(
        recording("x.wav", "9", root="bench", animal="Luna ", tape="t7"),
        recording("y.wav", "2", root="bench", animal="MO", tape="t8"),
    )
    overlap = corpus_overlap(train, bench, ["animal", "tape", "animal"])
    assert overlap.shared == (
        Shared("audio", "2", ("b.wav",), ("y.wav",)),
        Shared("animal", "luna", ("a.wav",), ("x.wav",)),
    )
    assert overlap.unchecked == ()
    with pytest.raises(UsageError) as refused:
        require_apart(overlap)
    text = str(refused.value)
    assert "animal 'luna': a.wav in training, x.wav in the benchmark" in text
    assert "the same file: b.wav in training, y.wav in the benchmark" in text
    assert "allow_overlap = true" in text
    assert "marked" in text


def test_what_lies_apart_is_let_through():
    overlap = corpus_overlap(
        corpus(recording("a.wav", "1", animal="A")), corpus(recording("a.wav", "2", root="bench", animal="B"))
    )
    assert overlap == Overlap()
    assert not overlap
    require_apart(overlap)
    assert corpus_overlap(corpus(), corpus()) == Overlap()


def test_equal_ids_name_the_roots_as_the_remedy():
    overlap = corpus_overlap(corpus(recording("a.wav", "1")), corpus(recording("a.wav", "2")))
    assert [shared.kind for shared in overlap.shared] == ["recording"]
    with pytest.raises(UsageError, match=r"\[benchmark\] root different names"):
        require_apart(overlap)


def test_what_is_not_known_is_said_and_is_no_overlap():
    train = corpus(recording("a.wav", "1", animal="A"), recording("b.wav", "2", animal=""))
    bench = corpus(recording("x.wav", "3", root="bench", folder="."))
    overlap = corpus_overlap(train, bench, ["animal", "tape", "folder", "recording"])
    assert overlap.shared == ()
    assert overlap.unchecked == (Unchecked("animal", "first", 1), Unchecked("animal", "second", 1))
    assert overlap.to_json()["unchecked"] == [
        {"field": "animal", "corpus": "first", "recordings": 1},
        {"field": "animal", "corpus": "second", "recordings": 1},
    ]


def test_files_in_the_root_itself_share_no_folder_but_equal_folders_are_shared():
    def pair(folder: str) -> Overlap:
        return corpus_overlap(
            corpus(recording("a.wav", "1", folder=folder)),
            corpus(recording("x.wav", "2", root="bench", folder=folder)),
            ["folder"],
        )

    assert not pair(".")
    assert pair("siteA").shared == (Shared("folder", "sitea", ("a.wav",), ("x.wav",)),)


def test_a_long_list_is_cut_and_counted():
    train = corpus(*(recording(f"{n}.wav", str(n)) for n in range(30)))
    bench = corpus(*(recording(f"b{n}.wav", str(n), root="bench") for n in range(30)))
    with pytest.raises(UsageError, match="and 10 more"):
        require_apart(corpus_overlap(train, bench))


names = st.sampled_from(["a", "b", "c", ""])
recordings = st.lists(st.tuples(st.sampled_from("123456"), names, names), max_size=6)


@given(recordings, recordings)
def test_agrees_with_comparing_every_pair(left, right):
    train, bench = (
        [recording(f"{n}.wav", digest, root=root, animal=animal, tape=tape) for n, (digest, animal, tape) in each]
        for root, each in (("train", list(enumerate(left))), ("bench", list(enumerate(right))))
    )
    overlap = corpus_overlap(corpus(*train), corpus(*bench), ["animal", "tape"])
    pairs = {(shared.kind, a, b) for shared in overlap.shared for a, b in product(shared.first, shared.second)}
    slow = set()
    for a, b in product(train, bench):
        slow |= {("audio", a.path, b.path)} if a.digest == b.digest else set()
        for name in ("animal", "tape"):
            if a.fields[name] and a.fields[name] == b.fields[name]:
                slow.add((name, a.path, b.path))
    assert pairs == slow
    mirrored = corpus_overlap(corpus(*bench), corpus(*train), ["animal", "tape"])
    assert [(shared.kind, shared.value, shared.second, shared.first) for shared in mirrored.shared] == [
        (shared.kind, shared.value, shared.first, shared.second) for shared in overlap.shared
    ]
