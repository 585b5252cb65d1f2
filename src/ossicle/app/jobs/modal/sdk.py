"""Modal's own library as :class:`ossicle.app.jobs.modal.service.Service`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import modal
from modal import exception
from modal.config import config

from ossicle.app.jobs.modal import service
from ossicle.app.jobs.modal.service import CallState, Resources
from ossicle.app.remote.modal_volume import open_volume
from ossicle.app.remote.place import Place
from ossicle.core.errors import FetchError, UsageError

MOUNTED_AT = "/ossicle-volume"
RETRIES = modal.Retries(max_retries=3, initial_delay=5.0, backoff_coefficient=2.0)
"""For containers that die. A task that fails returns its exit code, and is run again by the coordinator."""
_OF_CONTAINER = (
    exception.RemoteError,
    exception.ExecutionError,
    exception.DeserializationError,
    exception.InternalFailure,
    exception.InputCancellation,
)
"""Modal's words for a container that did not return a value; its other errors are about the question."""
NO_TOKEN = "no token: log in to Modal with `modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET"


class ModalContainers:
    """Calls of the functions of a deployed app; see :class:`ossicle.app.jobs.modal.service.Containers`.

    Parameters
    ----------
    app
        The name of the app.
    volume
        The name of the volume that every container mounts.
    """

    def __init__(self, app: str, volume: str) -> None:
        self._app, self._volume = app, volume
        self._functions: dict[tuple[str, Resources], modal.Function[..., int, int]] = {}

    def spawn(self, function: str, request: Mapping[str, object], resources: Resources) -> str:
        """Start a call, and return its id.

        Parameters
        ----------
        function
            Its name.
        request
            What it is to do.
        resources
            What its container gets.

        Returns
        -------
        str
            The id.

        Raises
        ------
        UsageError
            There is no token.
        FetchError
            Modal does not answer, or refuses the call.
        """
        with named():
            call = self._function(function, resources).spawn(volume=self._volume, request=dict(request))
            return str(call.object_id)

    def states(self, ids: Sequence[str]) -> dict[str, CallState]:
        """Return the states of calls.

        Parameters
        ----------
        ids
            Their ids.

        Returns
        -------
        dict[str, CallState]
            By id. Modal does not say whether an open call waits or runs: it is ``running``.

        Raises
        ------
        UsageError
            There is no token.
        FetchError
            Modal does not answer.
        """
        return {call_id: call_state(modal.FunctionCall.from_id(call_id)) for call_id in ids}

    def cancel(self, ids: Sequence[str]) -> None:
        """End calls.

        Parameters
        ----------
        ids
            Their ids.

        Raises
        ------
        UsageError
            There is no token.
        FetchError
            Modal does not answer.
        """
        for call_id in ids:
            with named(), suppress(exception.NotFoundError):
                modal.FunctionCall.from_id(call_id).cancel()

    def _function(self, name: str, resources: Resources) -> "modal.Function[..., int, int]":
        if (name, resources) not in self._functions:
            self._functions[name, resources] = with_resources(
                modal.Function.from_name(self._app, name), resources, self._volume
            )
        return self._functions[name, resources]


def with_resources(
    function: "modal.Function[..., int, int]", resources: Resources, volume: str
) -> "modal.Function[..., int, int]":
    """Return a function whose containers get other resources, and mount the volume.

    Parameters
    ----------
    function
        The function.
    resources
        The resources.
    volume
        The name of the volume.

    Returns
    -------
    modal.Function
        The function to call.
    """
    return function.with_options(
        cpu=resources.cpus or None,
        memory=resources.memory_mb or None,
        gpu=resources.gpu or None,
        timeout=resources.timeout_s,
        max_containers=resources.max_containers or None,
        retries=RETRIES,
        volumes={MOUNTED_AT: modal.Volume.from_name(volume, create_if_missing=True)},
    )


def call_state(call: "modal.FunctionCall[int]") -> CallState:
    """Return the state of a call.

    Parameters
    ----------
    call
        The call.

    Returns
    -------
    CallState
        ``running`` while it has no result.

    Raises
    ------
    UsageError
        There is no token.
    FetchError
        Modal does not answer.
    """
    try:
        return CallState(service.DONE, int(call.get(timeout=0)))
    except (exception.OutputExpiredError, exception.NotFoundError):
        return CallState(service.UNKNOWN, None, "Modal has forgotten the call")
    except exception.FunctionTimeoutError:
        return CallState(service.FAILED, None, "it ran into Modal's time limit")
    except (exception.TimeoutError, TimeoutError):
        return CallState(service.RUNNING)
    except (exception.AuthError, exception.PermissionDeniedError) as problem:
        raise UsageError(f"Modal: {problem}; {NO_TOKEN}") from problem
    except _OF_CONTAINER as problem:
        return _failed(problem)
    except (exception.Error, OSError) as problem:
        # The question was not answered: the call may run, and must not be started a second time.
        raise FetchError(f"Modal: {problem}") from problem
    except Exception as problem:  # noqa: BLE001
        # Its function raised: any class of error comes from there.
        return _failed(problem)


def _failed(problem: BaseException) -> CallState:
    return CallState(service.FAILED, None, f"{type(problem).__name__}: {problem}"[:300])


@contextmanager
def named() -> Iterator[None]:
    """Turn Modal's errors into ours.

    Raises
    ------
    UsageError
        There is no token, or Modal refuses what was asked.
    FetchError
        Modal does not answer.
    """
    try:
        yield
    except (exception.AuthError, exception.PermissionDeniedError) as problem:
        raise UsageError(f"Modal: {problem}; {NO_TOKEN}") from problem
    except (exception.InvalidError, exception.NotFoundError) as problem:
        raise UsageError(f"Modal refuses: {problem}") from problem
    except (exception.Error, OSError) as problem:
        raise FetchError(f"Modal: {problem}") from problem


class ModalService(ModalContainers):
    """Modal as this machine sees it; see :class:`ossicle.app.jobs.modal.service.Service`.

    The app is deployed before its first call: it costs nothing while nothing runs, and calls go on without this
    machine. Its name says which version of Ossicle and of its libraries it has.

    Parameters
    ----------
    volume
        The name of the volume.
    """

    def __init__(self, volume: str) -> None:
        super().__init__("", volume)

    def require(self) -> None:
        """Raise UsageError if there is no token, or Modal refuses it; FetchError if Modal does not answer."""
        if not has_token():
            raise UsageError(NO_TOKEN)
        with named():
            modal.Client.from_env().hello()

    def place(self, prefix: str) -> Place:
        """Return a folder of the volume.

        Parameters
        ----------
        prefix
            The folder.

        Returns
        -------
        Place
            The folder, which is made when it is first written to.
        """
        return open_volume(self._volume, prefix, create=True)

    def dashboard(self) -> str:
        """Return the address of the page of the app; empty before its first call."""
        if not self._app:
            return ""
        from ossicle.app.jobs.modal.containers.functions import app

        with named():
            return str(app.get_dashboard_url())

    def spawn(self, function: str, request: Mapping[str, object], resources: Resources) -> str:
        """Deploy the app if this was not done yet, and start a call; see :meth:`ModalContainers.spawn`."""
        if not self._app:
            from ossicle.app.jobs.modal.containers.functions import app

            with named():
                app.deploy()
            self._app = str(app.name)
        return super().spawn(function, request, resources)


def has_token() -> bool:
    """Return whether this machine has a token for Modal; Modal is not asked."""
    return bool(config.get("token_id") and config.get("token_secret")) or bool(config.get("oauth_refresh_token"))
