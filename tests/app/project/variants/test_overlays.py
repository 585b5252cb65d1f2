"""Variants: overlays on a project file, what is refused of them, and trainings of them through the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile

from ossicle.app.project.load import load_project
from ossicle.app.project.variants.presets import variant_preset_names as preset_names
from ossicle.core.errors import ProjectError

from ....made_up.untrained import PROJECT, use_untrained, write_tapes

VARIANTS = """
[variants.more_noise.dataset]
noise_per_target = 2.0
[variants.wide]
base = "more_noise"
[variants.wide.chunks]
core_s = 3.0
[variants.wide.frontend]
n_fft = 512
"""
QUIET = ("--progress", "none")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ossicle.toml"
    path.write_text('active = ["wide"]\n' + PROJECT + VARIANTS)
    return path


def test_a_variant_lies_over_its_base_and_over_the_project(file: Path) -> None:
    plain, more, wide = (load_project(file, variant=name) for name in ("", "more_noise", "wide"))
    assert plain.settings.dataset.noise_per_target == 1.0
    assert more.settings.dataset.noise_per_target == wide.settings.dataset.noise_per_target == 2.0
    assert (more.settings.chunks.core_s, wide.settings.chunks.core_s) == (2.0, 3.0)
    assert wide.settings.plan.window_samples == wide.settings.frontend.n_fft == 512
    assert plain.variants == ("more_noise", "wide")
    assert plain.active == ("wide",)


def test_names_and_places_come_from_the_variant(file: Path) -> None:
    wide = load_project(file, variant="wide")
    assert wide.settings.project.name == "detector-wide"
    assert wide.results == file.parent / "variants" / "wide"
    assert load_project(file).results == file.parent
    file.write_text(file.read_text() + '[variants.wide.project]\nname = "mine"\n')
    assert load_project(file, variant="wide").settings.project.name == "mine"


def test_set_wins_over_a_variant(file: Path) -> None:
    assert load_project(file, ("chunks.core_s=1.5",), variant="wide").settings.chunks.core_s == 1.5


def test_set_is_checked_with_what_is_loaded_only(file: Path) -> None:
    file.write_text(file.read_text() + "[variants.low.frontend]\nrate = 2000\nfmax_hz = 1000.0\n")
    with pytest.raises(ProjectError, match="fmax_hz"):
        load_project(file, ("frontend.fmax_hz=3000.0",), variant="low")
    assert load_project(file, ("frontend.fmax_hz=3000.0",)).settings.frontend.fmax_hz == 3000.0
    assert load_project(file, ("frontend.fmax_hz=3000.0",), variant="wide").settings.frontend.fmax_hz == 3000.0
    # What no variant may have is still an error whatever is loaded.
    with pytest.raises(ProjectError, match="unknown key"):
        load_project(file, ("frontend.fmaxx_hz=1.0",), variant="wide")


def test_a_training_preset_in_a_variant_is_what_it_stands_for(file: Path) -> None:
    file.write_text(file.read_text() + '[variants.wide.training]\npreset = "quick"\nbatch_size = 3\n')
    training = load_project(file, variant="wide").settings.training
    assert training.batch_size == 3
    assert training.epochs != load_project(file).settings.training.epochs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[variants.bad.training]\nepoch = 3\n", ["[variants.bad]", "[training] epoch: unknown key", "'epochs'"]),
        ('[variants.bad]\nbase = "wyde"\n', ["[variants.bad] base", "no variant 'wyde'", "did you mean 'wide'?"]),
        (
            '[variants.bad]\nbase = "preset:wyde"\n',
            ["preset:wyde: this preset does not exist; presets: ", *preset_names()],
        ),
        ("[variants.bad]\nbase = 3\n", ["[variants.bad]: base must be text"]),
        ('[variants.bad]\nbase = "bad"\n', ["more than 8 bases", "circle"]),
        ('[variants."../x".training]\nepochs = 3\n', ["'../x'", "not a plain name"]),
        ("[variants]\nbad = 3\n", ["[variants] must contain tables"]),
        (
            '[variants.bad.project]\ndata_root = "/tmp"\n',
            ["[project] data_root = '/tmp'", "not below the folder of the project file"],
        ),
    ],
)
def test_what_is_wrong_with_a_variant_is_said_even_where_it_is_not_asked_for(
    file: Path, text: str, words: list[str]
) -> None:
    file.write_text(file.read_text() + text)
    with pytest.raises(ProjectError) as caught:
        load_project(file, variant="bad" if "data_root" in text else "")
    assert str(file) in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_variant_that_is_not_there_is_named_with_those_that_are(file: Path) -> None:
    with pytest.raises(ProjectError, match="no variant 'narrow'; choose one of: more_noise, wide"):
        load_project(file, variant="narrow")
    file.write_text(file.read_text().replace('active = ["wide"]', 'active = ["gone"]'))
    with pytest.raises(ProjectError, match=r"active: no variant 'gone'"):
        load_project(file)


@pytest.fixture
def tapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two tapes, two variants that share a dataset, and trainings that train nothing."""
    write_tapes(tmp_path, ("siteA_1", "siteB_1"))
    (tmp_path / "ossicle.toml").write_text('active = ["wide", "more_noise"]\n' + PROJECT + VARIANTS)
    use_untrained(monkeypatch)
    return tmp_path


def artefact(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((path / "artefact.json").read_text())
    return content


def test_all_active_variants_are_trained_and_share_what_they_have_in_common(tapes: Path, ossicle: Any) -> None:
    result = ossicle("train", "-p", tapes, "--all-active", *QUIET)
    assert result.code == 0, result.err
    # In the order of the list, under their names.
    lines = [cells for line in result.out.splitlines() if "training" in (cells := line.split())]
    assert [line[0] for line in lines] == ["wide", "more_noise"]
    counts = {step: len(list((tapes / "data" / step).iterdir())) for step in ("corpus", "dataset", "store", "training")}
    assert counts == {"corpus": 1, "dataset": 1, "store": 1, "training": 2}
    again = ossicle("train", "-p", tapes, "--variant", "wide", *QUIET)
    assert "reused" in again.out
    assert "computed" not in again.out


def test_a_refused_bundle_is_said_with_its_variant_and_may_be_benchmarked(tapes: Path, ossicle: Any) -> None:
    # A threshold of nought makes one endless event of everything, silence too.
    result = ossicle(
        "train", "-p", tapes, "--variant", "wide", "--until", "bundle", "--set", "decision.on=[0.0]", *QUIET
    )
    assert result.code == 4
    assert result.err.startswith("ossicle: wide: the noise gate refused this bundle")
    file = tapes / "ossicle.toml"
    file.write_text(
        file.read_text()
        + "[decision]\non = [0.0]\n"
        + '[benchmark]\naudio = "other/audio"\nannotations = "other/tables"\nmodels = ["wide"]\nthresholds = [0.5]\n'
    )
    write_tapes(tapes / "other", ("siteC_1",))
    samples, rate = soundfile.read(tapes / "other" / "audio" / "siteC_1.wav", dtype="int16")
    soundfile.write(tapes / "other" / "audio" / "siteC_1.wav", samples[::-1], rate)
    result = ossicle("benchmark", "-p", tapes, *QUIET)
    assert result.code == 0, result.err
    for table in ("metrics.csv", "leaderboard.csv", "per_tape.csv"):
        assert "refused by the noise gate" in (tapes / "benchmark" / table).read_text()


def test_a_missing_dataset_is_named_before_anything_starts(tapes: Path, ossicle: Any) -> None:
    file = tapes / "ossicle.toml"
    file.write_text(file.read_text() + '[variants.late]\nbase = "gone"\n')
    result = ossicle("train", "-p", tapes, "--all-active", *QUIET)
    assert result.code == 2
    assert "no variant 'gone'" in result.err
    assert not (tapes / "data").exists()


def test_variants_are_trained_by_their_names(tapes: Path, ossicle: Any) -> None:
    result = ossicle("train", "wide", "more_noise", "wide", "-p", tapes, "--variant", "more_noise", *QUIET)
    assert result.code == 0, result.err
    trained = [cells[0] for line in result.out.splitlines() if "training" in (cells := line.split())]
    assert trained == ["wide", "more_noise"]
    assert "did you mean 'wide'?" in ossicle("train", "wyde", "-p", tapes, *QUIET).err
    assert "leave out the names" in ossicle("train", "wide", "-p", tapes, "--all-active", *QUIET).err


def test_a_dataset_that_cannot_be_built_stops_all_before_the_first_training(tapes: Path, ossicle: Any) -> None:
    file = tapes / "ossicle.toml"
    text = file.read_text().replace('active = ["wide", "more_noise"]', 'active = ["wide", "finer"]')
    file.write_text(text + "[variants.finer.split]\nfolds = 9\n")
    result = ossicle("train", "-p", tapes, "--all-active", *QUIET)
    assert result.code != 0
    assert "9 folds were requested" in result.err
    assert not (tapes / "data" / "training").exists()


def test_nothing_active_is_said_with_the_remedy(tapes: Path, ossicle: Any) -> None:
    file = tapes / "ossicle.toml"
    file.write_text(file.read_text().replace('active = ["wide", "more_noise"]\n', ""))
    result = ossicle("train", "-p", tapes, "--all-active", *QUIET)
    assert result.code == 2
    assert 'it defines more_noise, wide); add active = ["NAME", ...]' in result.err


def test_a_run_of_a_variant_leaves_its_results_in_its_own_folder(tapes: Path, ossicle: Any) -> None:
    result = ossicle("run", "-p", tapes, "--variant", "wide", "--set", "decision.on=[1.0]", *QUIET)
    assert result.code == 0, result.err
    folder = tapes / "variants" / "wide"
    assert sorted(path.name for path in folder.iterdir()) == ["bundle", "metrics.json", "report.html"]
    assert json.loads((folder / "bundle" / "bundle.json").read_text())["name"] == "detector-wide"
    assert not (tapes / "bundle").exists()


def test_a_link_in_the_place_of_a_variants_results_is_refused(tapes: Path, ossicle: Any, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tapes / "variants").symlink_to(elsewhere)
    result = ossicle("run", "-p", tapes, "--variant", "wide", "--until", "dataset", *QUIET)
    assert result.code == 2
    assert "symbolic link" in result.err
    assert not any(elsewhere.iterdir())


def test_variants_are_jobs_side_by_side(tapes: Path, ossicle: Any, tmp_path: Path) -> None:
    result = ossicle("jobs", "write", "-p", tapes, "--all-active", "--on", "slurm", "-o", tmp_path / "scripts")
    assert result.code == 0, result.err
    plan = json.loads((tmp_path / "scripts" / "plan.json").read_text())
    jobs = {job["name"]: job for job in plan["jobs"]}
    assert set(jobs) >= {"wide.store", "wide.training", "more_noise.training"}
    # Both variants have the same store, which the first of them makes.
    assert "more_noise.store" not in jobs
    assert jobs["more_noise.training"]["needs"] == ["wide.store"]
    for name, job in jobs.items():
        variant = name.partition(".")[0]
        # A job waits for those of its own variant and for what it shares, and every line says which variant it is of.
        assert all(need.startswith(f"{variant}.") or need == "wide.store" for need in job["needs"])
        assert all(f"--variant={variant}" in task["argv"] for task in job["tasks"])
        assert (tmp_path / "scripts" / f"{name}.sbatch").is_file()
    assert [task["name"] for task in jobs["wide.training"]["tasks"]] == ["fold0", "fold1", "final"]
