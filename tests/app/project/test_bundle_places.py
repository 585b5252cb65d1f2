"""Where a named bundle is: a folder as stated, or a version in a registry."""

from pathlib import Path

import pytest

from ossicle.app.project.bundle_places import bundle_folder, registry_folder
from ossicle.app.project.load import Project, load_project
from ossicle.bundle.registry.registry import Candidate, Judgement, Registry
from ossicle.core.errors import BundleError, ProjectError, UsageError

PROJECT = '[corpus]\naudio = "audio"\nannotations = "tables"\n'


def promote(root: Path, bundle: Path, times: int = 1) -> Registry:
    registry = Registry(root)
    for _ in range(times):
        registry.propose("tapes", Candidate(bundle, {}, {}), lambda against: Judgement({}, (), lambda number: "# x\n"))
    return registry


@pytest.fixture(autouse=True)
def without_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OSSICLE_REGISTRY", "OSSICLE_DATA_ROOT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")


def project_in(folder: Path, table: str = "") -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ossicle.toml").write_text(PROJECT + table)
    return load_project(folder)


def test_a_folder_is_a_folder(tmp_path: Path) -> None:
    assert bundle_folder("work/bundle") == Path("work/bundle")
    assert bundle_folder(Path("bundle"), relative_to=tmp_path) == tmp_path / "bundle"


def test_the_registry_is_that_of_the_setting_then_of_the_environment_then_in_the_data_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_in(tmp_path / "p")
    assert registry_folder(project) == tmp_path / "p" / "data" / "registry"
    monkeypatch.setenv("OSSICLE_REGISTRY", str(tmp_path / "shared"))
    assert registry_folder(project) == tmp_path / "shared"
    project = project_in(tmp_path / "p", '[registry]\nfolder = "models"\n')
    assert registry_folder(project) == tmp_path / "p" / "models"


@pytest.mark.parametrize("folder", ["../elsewhere", "/srv/models", "C:\\models"])
def test_a_project_file_names_no_registry_outside_its_folder(tmp_path: Path, folder: str) -> None:
    with pytest.raises(ProjectError, match=r"\[registry\] folder.*not below the folder of the project file"):
        project_in(tmp_path / "p", f"[registry]\nfolder = '{folder}'\n")


def test_the_user_may_name_any_registry(tmp_path: Path) -> None:
    project_in(tmp_path / "p")
    project = load_project(tmp_path / "p", (f"registry.folder={tmp_path / 'elsewhere'}",))
    assert registry_folder(project) == tmp_path / "elsewhere"


def test_the_place_of_the_registry_is_in_no_fingerprint(tmp_path: Path) -> None:
    from ossicle.core.settings import digestible

    assert digestible(project_in(tmp_path / "p", '[registry]\nfolder = "models"\n').settings.registry) == {}


def test_a_reference_is_found_in_each_place(tmp_path: Path, old_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "p" / "data" / "registry"
    registry = promote(root, old_bundle, 2)
    first, second = (version.bundle for version in registry.versions("tapes"))
    project = project_in(tmp_path / "p")
    assert bundle_folder("registry:tapes@current", project) == second
    assert bundle_folder("registry:tapes@1", project) == first
    assert bundle_folder(f"registry:{root}/tapes") == second
    assert bundle_folder("registry:data/registry/tapes@1", relative_to=tmp_path / "p") == first
    with pytest.raises(UsageError, match=r"which registry\? Set \$OSSICLE_REGISTRY"):
        bundle_folder("registry:tapes")
    monkeypatch.setenv("OSSICLE_DATA_ROOT", str(tmp_path / "p" / "data"))
    assert bundle_folder("registry:tapes") == second
    monkeypatch.setenv("OSSICLE_REGISTRY", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="no model is called 'tapes'"):
        bundle_folder("registry:tapes")
    monkeypatch.setenv("OSSICLE_REGISTRY", str(root))
    assert bundle_folder("registry:tapes") == second
    monkeypatch.delenv("OSSICLE_REGISTRY")
    monkeypatch.delenv("OSSICLE_DATA_ROOT")
    monkeypatch.chdir(tmp_path / "p")
    assert bundle_folder("registry:tapes@1").absolute() == first


def test_a_moved_data_root_keeps_its_versions(tmp_path: Path, old_bundle: Path) -> None:
    promote(tmp_path / "old" / "registry", old_bundle)
    (tmp_path / "old").rename(tmp_path / "new")
    project_in(tmp_path / "p")
    project = load_project(tmp_path / "p", data_root=tmp_path / "new")
    assert bundle_folder("registry:tapes", project) == tmp_path / "new" / "registry" / "tapes" / "versions/0001/bundle"


def test_checksums_are_compared_on_use(tmp_path: Path, old_bundle: Path) -> None:
    registry = promote(tmp_path / "r", old_bundle)
    (registry.version("tapes").path / "metrics.json").write_text("{}")
    with pytest.raises(BundleError, match=r"metrics.json differs from its checksum"):
        bundle_folder(f"registry:{tmp_path / 'r'}/tapes")
