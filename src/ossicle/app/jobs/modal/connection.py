"""Open the connection to Modal; Modal's library is imported only then."""

from ossicle.app.jobs.modal.service import Service


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
    from ossicle.app.jobs.modal.sdk import ModalService

    return ModalService(volume)
