import pytest

from ossicle.bundle.registry.registry import Candidate, Judgement, Registry


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "registry")


@pytest.fixture
def candidate(write, tmp_path):
    """Maker of a candidate; its figure is what tells candidates apart."""

    def make(accuracy=0.9, name="drums"):
        folder = tmp_path / "runs" / str(accuracy) / "bundle"
        if not folder.exists():
            write(folder, name=name, provenance={"accuracy": str(accuracy)})
        return Candidate(
            folder, {"clips": {"accuracy": {"value": accuracy}}}, {"python": "3.11"}, {"project": "machines"}
        )

    return make


@pytest.fixture
def passing():
    """A judge that lets everything pass."""

    def judge(against):
        return Judgement({"passed": True}, (), lambda number: f"# drums, version {number}\n")

    return judge


@pytest.fixture
def refusing():
    """A judge that refuses everything."""

    def judge(against):
        return Judgement({"passed": False}, ("accuracy 0.5 is below 0.93",), lambda number: f"# refusal {number}\n")

    return judge
