"""The page for who comes from the old scripts: its project files work on a corpus in the old scheme."""

import re
from pathlib import Path

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.data.corpus import STEP
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.corpus.indexing.index_storage import read_index

from ...made_up.old_scheme import make_corpus


@pytest.fixture
def tables(repository: Path) -> list[str]:
    page = (repository / "docs" / "coming-from-scripts.md").read_text(encoding="utf-8")
    return re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def test_the_project_file_of_the_page_indexes_such_a_corpus(tables, tmp_path):
    made = make_corpus(tmp_path / "alpacas")
    made.segment(made.clip("Luna_20250610_cut"), 20, 20.5, "_h_q2")
    (tmp_path / "ossicle.toml").write_text(tables[0], encoding="utf-8")
    index = read_index(CorpusFolder.among(run_steps((STEP,), load_project(tmp_path), Silent()).artefacts))
    assert len(index.recordings) == 10
    assert all(recording.reviewed for recording in index.recordings)
    assert len(index.annotations) == len(made.calls) + 1
    assert {note.kind for note in index.notes} == {"segment_variant"}


def test_the_benchmark_of_the_page_is_one(tables, tmp_path):
    (tmp_path / "ossicle.toml").write_text(f"{tables[0]}\n{tables[1]}", encoding="utf-8")
    settings = load_project(tmp_path).settings
    own = settings.benchmark.corpus(settings.corpus)
    assert (own.offset_unit, own.default_label, own.include, own.root) == ("s", "hum", (), "benchmark")
    assert (settings.benchmark.windows, settings.benchmark.ious) == (((0.4, 0.05),), (0.4,))


def test_the_variants_of_the_page_are_variants_of_that_project(tables, tmp_path):
    active, _, variants = tables[2].partition("\n")
    (tmp_path / "ossicle.toml").write_text(f"{active}\n{tables[0]}\n{variants}", encoding="utf-8")
    assert load_project(tmp_path).active == ("by_tape", "as_before")
    known = load_project(tmp_path, variant="as_before").settings
    assert (known.split.strategy, known.model.name) == ("clipwise_balanced", "window")
    assert known.plan.hop_s == pytest.approx(0.0427, abs=5e-5)
