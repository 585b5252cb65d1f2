"""Modal's own library without a token: app, image, volume, functions and calls are built, and nothing is asked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("modal")

import modal
from modal import exception
from modal.config import config

from ossicle.app.jobs.modal import sdk, service
from ossicle.app.jobs.modal.connection import connect
from ossicle.app.jobs.modal.containers import functions
from ossicle.app.jobs.modal.image import EXTRAS, image_parts
from ossicle.app.jobs.modal.orders import Order
from ossicle.app.jobs.modal.requests import PlanRequest, TaskRequest
from ossicle.app.jobs.modal.sdk import ModalService, call_state, has_token, named, with_resources
from ossicle.app.jobs.modal.service import Resources
from ossicle.app.remote.modal_place import ModalPlace
from ossicle.core.errors import EXIT_FAILED, ArtefactError, FetchError, UsageError

from ....doubles.modal_double import FolderMount, ModalDouble

CALLS = {"run_task": functions.run_task, "coordinate": functions.coordinate}


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET", "MODAL_OAUTH_REFRESH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(type(config), "get", lambda self, key, *rest, **more: None)


def inner(of: Any) -> Any:
    """The object behind the library's blocking face."""
    return next(value for key, value in vars(of).items() if key.startswith("_sync_original"))


def test_both_functions_are_of_the_app_and_have_its_image() -> None:
    assert functions.app.name == image_parts().name
    for name, function in CALLS.items():
        info, spec = inner(function)._source_info, inner(function)._spec
        # A container imports the module by its name; nothing is pickled.
        assert (info.module_name, info.function_name) == ("ossicle.app.jobs.modal.containers.functions", name)
        assert not info.is_serialized()
        assert (spec.image, spec.secrets, spec.volumes) == (inner(functions.image), [], {})
        assert spec.gpus is None


def test_a_call_has_gpu_timeout_retries_and_the_volume() -> None:
    asked = Resources(cpus=4.0, memory_mb=2048, gpu="A100:2", timeout_s=5400, max_containers=3)
    options = inner(with_resources(functions.run_task, asked, "mine"))._options
    gpu = options.resources.gpu_config
    assert (gpu.gpu_type, gpu.count) == ("A100", 2)
    assert (options.resources.milli_cpu, options.resources.memory_mb) == (4000, 2048)
    assert (options.timeout_secs, options.max_containers) == (5400, 3)
    assert options.retry_policy.retries == 3
    assert [place for place, _ in options.validated_volumes] == [sdk.MOUNTED_AT]
    assert list(options.secrets) == []
    plain = inner(with_resources(functions.coordinate, Resources(timeout_s=60), "mine"))._options
    assert (plain.resources.gpu_config.count, plain.timeout_secs, plain.max_containers) == (0, 60, None)


def test_the_image_pins_what_is_installed_and_holds_the_whole_package() -> None:
    parts = image_parts()
    assert any(requirement.startswith("torch") for requirement in parts.requirements)
    assert not any("extra ==" in requirement or requirement.startswith("pytest") for requirement in parts.requirements)
    assert EXTRAS == ("train", "encoders")
    versions = dict(constraint.split("==") for constraint in parts.constraints)
    assert versions["modal"] == modal.__version__
    assert not any("+" in version for version in versions.values())
    assert (parts.package / "app" / "jobs" / "slurm" / "task.sh").is_file()
    assert parts.name.startswith(f"ossicle-{parts.version}-")


class FakeCall:
    def __init__(self, result: "int | BaseException") -> None:
        self.result = result

    def get(self, timeout: float | None = None) -> int:
        assert timeout == 0
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


@pytest.mark.parametrize(
    ("result", "state", "code"),
    [
        (143, service.DONE, 143),
        (TimeoutError(), service.RUNNING, None),
        (exception.TimeoutError("x"), service.RUNNING, None),
        (exception.FunctionTimeoutError("x"), service.FAILED, None),
        (exception.OutputExpiredError("x"), service.UNKNOWN, None),
        (exception.NotFoundError("x"), service.UNKNOWN, None),
        (exception.RemoteError("out of memory"), service.FAILED, None),
        (exception.InternalFailure("lost"), service.FAILED, None),
        (exception.ExecutionError("of another version"), service.FAILED, None),
        (exception.InputCancellation("cancelled"), service.FAILED, None),
        (ValueError("from the container"), service.FAILED, None),
    ],
)
def test_states_of_calls(result: Any, state: str, code: int | None) -> None:
    found = call_state(FakeCall(result))  # type: ignore[arg-type]
    assert (found.state, found.code) == (state, code)


@pytest.mark.parametrize(
    "problem",
    [
        exception.ConnectionError("x"),
        exception.ServiceError("x"),
        exception.ResourceExhaustedError("x"),
        exception.ConflictError("x"),
        exception.ClientClosed("x"),
        OSError("x"),
    ],
)
def test_silence_is_no_state(problem: Exception) -> None:
    with pytest.raises(FetchError, match="Modal: x"):
        call_state(FakeCall(problem))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (exception.AuthError("x"), UsageError),
        (exception.PermissionDeniedError("x"), UsageError),
        (exception.InvalidError("x"), UsageError),
        (exception.ResourceExhaustedError("x"), FetchError),
        (OSError("x"), FetchError),
    ],
)
def test_errors_are_ours(problem: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="x"), named():
        raise problem


def test_without_a_token_nobody_is_asked() -> None:
    assert not has_token()
    result = connect("mine")
    assert isinstance(result, ModalService)
    with pytest.raises(UsageError, match="no token: log in to Modal"):
        result.require()
    assert isinstance(result.place("a"), ModalPlace)
    assert result.dashboard() == ""


def order_of(folder: Path, command: tuple[str, ...], prefix: str = "p", plan: str = "0001-a") -> None:
    place = folder / prefix / "data" / "jobs" / plan / "orders"
    place.mkdir(parents=True)
    order = Order("1", (), (command,), (".",), {}, Resources(max_containers=1), 60.0)
    (place / "a.json").write_bytes(order.text())


def test_both_functions_run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    double = ModalDouble(tmp_path)
    monkeypatch.setattr(functions, "mounted", lambda name: FolderMount(tmp_path / name))
    monkeypatch.setattr(functions, "started", lambda name: double)
    order_of(tmp_path / "mine", ("ossicle", "--version"))
    request: Mapping[str, Any] = TaskRequest("p", "0001-a", "a", 0, 1).words()
    assert functions.run_task.local(volume="mine", request=request) == 0
    plan = tmp_path / "mine" / "p" / "data" / "jobs" / "0001-a"
    assert (plan / "begun" / "a-0").read_text() == "1"
    assert b"0.1" in (plan / "logs" / "a-0.log").read_bytes()
    # An order that is missing is a failed task, and no error of the connection.
    assert functions.run_task.local(volume="mine", request={**request, "job": "b"}) == EXIT_FAILED
    (plan / "cancelled").mkdir()
    (plan / "cancelled" / "a").touch()
    assert functions.coordinate.local(volume="mine", request=PlanRequest("p", "0001-a").words()) == 0
    assert double.calls == {}


@pytest.mark.parametrize("problem", [exception.ServiceError("x"), OSError("x"), ValueError("x")])
def test_a_coordinator_that_fails_is_no_silence(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    """Modal sends an error of the function to the caller, where one of its own would look like one of the question."""

    def fail(name: str) -> FolderMount:
        raise problem

    monkeypatch.setattr(functions, "mounted", fail)
    with pytest.raises(ArtefactError, match=f"the coordinator failed: {type(problem).__name__}: x"):
        functions.coordinate.local(volume="mine", request=PlanRequest("p", "0001-a").words())


def test_a_volume_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def commit(self) -> None:
            raise exception.ConflictError("x")

        reload = commit

    monkeypatch.setattr(modal.Volume, "from_name", lambda name: Gone())
    mount = functions.VolumeMount("mine")
    for ask in (mount.reload, mount.commit):
        with pytest.raises(FetchError, match="Modal: x"):
            ask()
