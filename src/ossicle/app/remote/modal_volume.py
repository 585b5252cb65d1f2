"""Open a volume with Modal's own library; only this module and the Modal runner import it."""

from dataclasses import dataclass

from ossicle.app.remote.modal_place import ModalPlace
from ossicle.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class _ModalErrors:
    absent: tuple[type[Exception], ...]
    refused: tuple[type[Exception], ...]
    passing: tuple[type[Exception], ...]


def open_volume(name: str, prefix: str, *, create: bool) -> ModalPlace:
    """Return a folder of a volume.

    Parameters
    ----------
    name
        The name of the volume.
    prefix
        The folder in it; empty for the whole volume.
    create
        Whether a volume that does not exist is created when it is first used.

    Returns
    -------
    ModalPlace
        The place; nothing is connected yet.

    Raises
    ------
    UsageError
        Modal's library is not installed, or the name is not allowed.
    """
    try:
        import modal
    except ModuleNotFoundError:
        raise UsageError("modal is not installed; install it with: pip install 'ossicle[modal]'") from None
    from modal import exception

    errors = _ModalErrors(
        (exception.NotFoundError, FileNotFoundError),
        (exception.AuthError, exception.PermissionDeniedError),
        (exception.Error, OSError),
    )
    try:
        return ModalPlace(modal.Volume.from_name(name, create_if_missing=create), prefix, errors)
    except exception.InvalidError as problem:
        raise UsageError(f"modal:{name}: {problem}") from problem
