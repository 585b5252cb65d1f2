"""Open the connection to Modal; Modal's library is imported only then."""

from ossicle.app.jobs.modal.service import Service
from ossicle.core.errors import UsageError


def connect(volume: str) -> Service:
    """Return Modal's service for a volume; nothing is connected yet.

    Parameters
    ----------
    volume
        The name of the volume.

    Returns
    -------
    Service
        The service.

    Raises
    ------
    UsageError
        Modal's library is not installed.
    """
    try:
        from ossicle.app.jobs.modal.sdk import ModalService
    except ModuleNotFoundError as problem:
        raise UsageError("modal is not installed; install it with: pip install 'ossicle[modal]'") from problem

    return ModalService(volume)
