"""What the tree may hold: small files, no machine's paths, no unfinished marks, a README in every package."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

MAX_BYTES = 1_000_000
MAX_LINES = 350
TEXT_SUFFIXES = {".py", ".md", ".toml", ".txt", ".sh", ".html", ".css", ".js", ".csv", ".json", ".yml", ".yaml", ""}

# Spelt in halves so that this file does not find itself.
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|Not" + r"ImplementedError)\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}-])/(?:wo" + r"rk|ho" + r"me|ro" + r"ot|Us" + r"ers|m" + r"nt|scratch)/\w")


@pytest.fixture(scope="module")
def tracked(repository: Path) -> list[Path]:
    """Files that git tracks, or would on the next `git add`."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(listing, cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in done.stdout.split("\0") if name and (path := repository / name).is_file()]


def lines_matching(paths: list[Path], pattern: re.Pattern[str], root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for path in paths
        if path.suffix in TEXT_SUFFIXES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_large_file_is_tracked(tracked: list[Path], repository: Path) -> None:
    assert [str(p.relative_to(repository)) for p in tracked if p.stat().st_size > MAX_BYTES] == []


def test_no_page_is_empty(tracked: list[Path], repository: Path) -> None:
    assert [str(p.relative_to(repository)) for p in tracked if p.suffix == ".md" and p.stat().st_size == 0] == []


def test_no_unfinished_marks(tracked: list[Path], repository: Path) -> None:
    assert lines_matching(tracked, UNFINISHED, repository) == []


def test_no_machine_paths(tracked: list[Path], repository: Path) -> None:
    assert lines_matching(tracked, MACHINE_PATH, repository) == []


def test_the_patterns_find_what_they_look_for() -> None:
    assert UNFINISHED.search("# TO" + "DO: later")
    assert MACHINE_PATH.search('open("/ho' + 'me/ann/tapes")')
    assert not MACHINE_PATH.search("below ~/tapes/a or $ROOT/work/tapes or https://example.org/home/x")


def test_modules_are_short(repository: Path) -> None:
    lengths = {
        str(path.relative_to(repository)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (repository / "src").rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_no_module_is_a_drawer(repository: Path) -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [str(p.relative_to(repository)) for p in (repository / "src").rglob("*") if p.stem in drawers] == []


def packages() -> list[Path]:
    """Packages directly below ``ossicle`` with at least one module of their own."""
    root = Path(__file__).resolve().parents[2] / "src" / "ossicle"
    return [p.parent for p in sorted(root.glob("*/__init__.py")) if len(list(p.parent.glob("*.py"))) > 1]


@pytest.mark.parametrize("package", packages(), ids=lambda path: path.name)
def test_every_package_has_a_readme_with_an_example(package: Path) -> None:
    readme = package / "README.md"
    assert readme.is_file(), f"{package.name} needs a README.md: purpose, arrows, one example"
    assert "```" in readme.read_text(encoding="utf-8"), f"{readme} shows no example"


PAPERS = ["README.md", "LICENSE", "CHANGELOG.md", "UPGRADING.md", "CONTRIBUTING.md", "CITATION.cff", "SECURITY.md"]


@pytest.mark.parametrize("name", PAPERS)
def test_the_repository_has_its_papers(repository: Path, name: str) -> None:
    assert (repository / name).is_file()


def test_the_citation_names_the_version_and_the_licence_of_the_package(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (repository / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    fields = dict(line.split(": ", 1) for line in lines if re.match(r"[\w-]+: ", line))
    assert (fields["version"], fields["license"]) == (project["version"], project["license"])
    assert project["urls"]


def test_decisions_are_numbered_without_a_gap_and_listed(repository: Path) -> None:
    folder = repository / "docs" / "decisions"
    names = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    index = (repository / "docs" / "README.md").read_text(encoding="utf-8")
    assert [name for name in names if f"decisions/{name}" not in index] == []


def test_links_between_papers_lead_somewhere(tracked: list[Path], repository: Path) -> None:
    dead = []
    for path in tracked:
        if path.suffix != ".md":
            continue
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        targets = [t for t in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) if "://" not in t]
        dead += [f"{path.relative_to(repository)}: {t}" for t in targets if not (path.parent / t).exists()]
    assert dead == []
