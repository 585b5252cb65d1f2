"""Labels in NFC everywhere, twins that are named, and the map that joins them."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.app.api.evaluation.event_evaluation import evaluate
from ossicle.core.errors import FormatError, UsageError
from ossicle.core.records import Annotation
from ossicle.corpus.formats.event_csv import read_events
from ossicle.corpus.formats.label_map import is_garbled, parse_label_map, renamed_scores, twin_key, twins
from ossicle.corpus.formats.reading.event_folders import read_event_sets
from ossicle.corpus.formats.reading.labelled_audio import read_folders
from ossicle.corpus.formats.window_tables.score_tables import ScoreTable, read_opensoundscape
from ossicle.corpus.health.problem import Problem
from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.corpus_index import CorpusIndex, index_corpus
from ossicle.corpus.indexing.settings import CorpusSettings

NFC, NFD = (unicodedata.normalize(form, "Käuzchen") for form in ("NFC", "NFD"))
ALIKE = [NFC, "käuzchen", "wood thrush", "wood\u00a0thrush", "wood  thrush", "wood thrush\u200b", "Wood_Thrush"]


def project(folder: Path, labels: list[str]) -> Path:
    for name in ("audio", "tables"):
        (folder / name).mkdir()
    soundfile.write(folder / "audio/a.wav", np.random.default_rng(0).normal(0, 0.1, 30_000), 1000)
    rows = [f"{k},{k}.5,{label}\n" for k, label in enumerate(labels)]
    (folder / "tables/a.csv").write_text("start_time,end_time,label\n" + "".join(rows), encoding="utf-8")
    return folder


def index(folder: Path, **options: tuple[str, ...]) -> CorpusIndex:
    settings = CorpusSettings(audio="audio", decode=False, **options)
    return index_corpus(folder / "audio", folder / "tables", settings)


def label_problems(found: CorpusIndex) -> list[Problem]:
    return [problem for problem in health(found, rate=1000).problems if problem.code.startswith("label_")]


def test_both_forms_of_unicode_are_one_label_in_every_reader(tmp_path: Path) -> None:
    corpus_index = index(project(tmp_path, [NFC, NFD]), labels=(NFD,))
    assert [annotation.label for annotation in corpus_index.annotations] == [NFC, NFC]
    assert label_problems(corpus_index) == []
    for name, text in {
        "x.csv": f"start_time,end_time,label\n1,2,{NFD}\n",
        "x.txt": f"1\t2\t{NFD}\n",
        "x.Table.1.selections.txt": f"Begin Time (s)\tEnd Time (s)\tAnnotation\n1\t2\t{NFD}\n",
        "x.tsv": f"filename\tonset\toffset\tevent_label\nx.wav\t1\t2\t{NFD}\n",
        "k.csv": f"IN FILE,OFFSET,DURATION,TOP1MATCH\nx.wav,1,1,{NFD}\n",
        "w.csv": f"file,start_time,end_time,{NFD}\nx.wav,0,1,0\nx.wav,1,2,1\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert [row.label for row in read_event_sets(tmp_path / name)["x"]] == [NFC], name
    (tmp_path / "audio" / NFD).mkdir()
    soundfile.write(tmp_path / "audio" / NFD / "b.wav", np.zeros(1000), 1000)
    (tmp_path / "audio/a.wav").unlink()
    assert {row.label for row in read_folders(tmp_path / "audio").table.rows} == {NFC}


def test_annotations_from_python_are_compared_in_nfc() -> None:
    evaluation = evaluate([Annotation("a", 1.0, 2.0, NFC)], [Annotation("a", 1.0, 2.0, NFD)], bootstrap=0)
    assert (evaluation.f1.value, list(evaluation.per_label), evaluation.notes) == (1.0, [NFC], ())


def test_twins_are_named_with_a_remedy_that_joins_them(tmp_path: Path) -> None:
    folder = project(tmp_path, ALIKE)
    problems = label_problems(index(folder))
    assert [(problem.severity, problem.code) for problem in problems] == [("warning", "label_twins")] * 2
    assert "'wood\\xa0thrush' (1)" in problems[1].message
    assert "'wood thrush\\u200b' (1)" in problems[1].message
    assert all(problem.where in problem.remedy for problem in problems)
    joined = index(folder, label_map=tuple(problem.where for problem in problems))
    assert label_problems(joined) == []
    assert {annotation.label for annotation in joined.annotations} == {problem.where for problem in problems}


def test_twins_of_a_kept_label_are_named_too(tmp_path: Path) -> None:
    corpus_index = index(project(tmp_path, ["Wren", "robin"]), labels=("wren", "robin"))
    assert [
        "'Wren' (0), 'wren' (0)" in problem.message
        for problem in label_problems(corpus_index)
        if problem.code == "label_twins"
    ] == [True]


def test_garbled_labels_are_named(tmp_path: Path) -> None:
    garbled = NFC.encode().decode("cp1252")
    problems = label_problems(index(project(tmp_path, [garbled, "Amsel"])))
    assert [(problem.code, problem.where) for problem in problems] == [("label_garbled", garbled)]
    assert is_garbled("K\ufffduzchen")


def test_score_names_labels_that_cannot_match() -> None:
    truth, annotations = [Annotation("a", 1.0, 2.0, "Call")], [Annotation("a", 1.0, 2.0, "call")]
    with pytest.raises(UsageError, match=r"no label in common \('call' and 'Call'\).*look alike.*Give --map FROM=TO"):
        evaluate(truth, annotations, bootstrap=0)
    more = [Annotation("a", 5.0, 6.0, "song")]
    assert [note.kind for note in evaluate(truth + more, annotations + more, bootstrap=0).notes] == ["label_twins"]
    for entry in ("call=Call", "call", "Call"):
        joined = evaluate(truth, annotations, bootstrap=0, label_map=[entry])
        assert (joined.f1.value, joined.notes) == (1.0, ())
    assert evaluate(truth, annotations, bootstrap=0, ignore_labels=True).notes == ()


def test_maps() -> None:
    names = parse_label_map(["a=b", f"{NFD}=owl", "Wood thrush", "x = y "], "--map")
    assert [names.name(label) for label in ("a", "b", NFC, "wood_thrush", "x", " z ")] == [
        *("b", "b", "owl", "Wood thrush"),
        *("y", "z"),
    ]
    for entries, words in (
        (["=b"], "'=b' lacks a label"),
        (["a="], "'a=' lacks a label"),
        ([" "], "' ' lacks a label"),
        (["a=b", "a=c"], "'a' is 'b' and 'c'; keep one"),
        (["Wren", "wren"], "'wren' is 'Wren' and 'wren'; keep one"),
    ):
        with pytest.raises(UsageError, match=words):
            parse_label_map(entries, "--map")
    with pytest.raises(ValueError, match="label_map: 'a=' lacks a label"):
        CorpusSettings(audio="audio", label_map=("a=",))
    with pytest.raises(FormatError, match="two columns of scores become 'b'"):
        renamed_scores(ScoreTable(("a", "b"), {}), names)


def test_twins_and_others() -> None:
    assert twins(["a", "A", "b", "a b", "a-b"]) == [("A", "a"), ("a b", "a-b")]
    assert twin_key("\u200b") == "\u200b"
    assert twins(["a1", "a2", "é", "e"]) == []


def test_labels_that_differ_in_case_are_two_columns_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("file,start_time,end_time,Call,call\na.wav,0,1,1,0\n")
    assert read_opensoundscape(path).labels == ("Call", "call")
    path.write_text("file,start_time,end_time,call,call\na.wav,0,1,1,0\n")
    with pytest.raises(FormatError, match="line 1: there are two columns 'call'"):
        read_opensoundscape(path)
    path.write_text("start,end,Label,label\n1,2,a,b\n")
    with pytest.raises(FormatError, match="line 1: there are two columns 'label'"):
        read_events(path)
