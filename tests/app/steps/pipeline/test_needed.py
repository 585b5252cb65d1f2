"""Commands that need a bundle or a step refuse projects of pipelines that have none, all in the same words."""

from pathlib import Path

import pytest

from ...conftest import Commands

COMMANDS = (
    (("promote",), "a bundle"),
    (("archive", "-o", "OUT"), "a bundle"),
    (("checklist",), "a bundle"),
    (("export", "-o", "OUT"), "a bundle"),
    (("probe",), "a step dataset"),
    (("dataset", "export", "-o", "OUT"), "a step dataset"),
    (("review", "export", "-o", "OUT"), "a step dataset"),
    (("dataset", "mine"), "a step decision"),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "audio").mkdir()
    (tmp_path / "ossicle.toml").write_text('base = "recipe:units"\n[corpus]\naudio = "audio"\n')
    return tmp_path


@pytest.mark.parametrize(("words", "needed"), COMMANDS, ids=lambda one: "-".join(one) if isinstance(one, tuple) else "")
def test_a_project_for_units_is_refused_in_the_same_words(
    words: tuple[str, ...], needed: str, project: Path, ossicle: Commands
) -> None:
    given = [str(project / "out") if word == "OUT" else word for word in words]
    result = ossicle(*given, "-p", project)
    _refused(result.code, result.err, needed)
    assert not (project / "out").exists()


def test_a_project_for_units_is_no_bundle_to_predict_with(project: Path, ossicle: Commands) -> None:
    result = ossicle("predict", project, project / "audio", "-o", project / "out")
    _refused(result.code, result.err, "a bundle")


def _refused(code: int, err: str, needed: str) -> None:
    text = " ".join(err.split())
    assert code == 2, text
    assert f"needs a pipeline with {needed}, and projects of pipeline 'units' have none" in text
    assert "ossicle units encode" in text
