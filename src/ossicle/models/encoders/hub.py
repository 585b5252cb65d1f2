"""The folder of a model of transformers: a folder of the user, or a model of the Hugging Face hub. No torch."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from ossicle.artefacts.files import file_digest
from ossicle.artefacts.filesystem.walking import walk
from ossicle.bundle.encoders.weights import encoder_folders, find_weights
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SAFE = "*.safetensors"
_PICKLED = "pytorch_model*.bin"
# Weights and settings; no code.
_KEPT = (CONFIG, PREPROCESSOR, _SAFE, "*.safetensors.index.json")
_KEPT_WITHOUT_SAFE = (CONFIG, PREPROCESSOR, _PICKLED, "pytorch_model.bin.index.json")


def model_folder(stated: str, folder: Path) -> Path:
    """Return the folder of a model.

    A name such as ``MIT/ast-finetuned-audioset-10-10-0.4593`` that is no folder here is taken from the cache of the
    hub's client, which downloads it the first time.

    Parameters
    ----------
    stated
        A folder, or the name of a model of the hub.
    folder
        The folder that a relative path is relative to.

    Raises
    ------
    UsageError
        There is no such folder, and no such model can be downloaded.
    """
    try:
        weights = find_weights(stated, folder)
    except UsageError:
        if not _HUB_ID.fullmatch(stated):
            raise
        return _downloaded(stated)
    if not (weights / CONFIG).is_file():
        raise UsageError(f"[encoder] path: {weights} is not a folder with {CONFIG}, as transformers writes it")
    return weights


def is_of_hub(stated: str, folder: Path) -> bool:
    """Return whether a model is no folder here and its name may be one of the hub.

    Parameters
    ----------
    stated, folder
        As of :func:`model_folder`.
    """
    try:
        find_weights(stated, folder)
    except UsageError:
        return _HUB_ID.fullmatch(stated) is not None
    return False


def is_downloaded(name: str) -> bool:
    """Return whether the cache of the hub's client has a model; nothing is downloaded."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    return isinstance(try_to_load_from_cache(name, CONFIG), str)


def model_digest(folder: Path) -> str:
    """Return the SHA-256 of the weights and settings in a model's folder; other files do not count.

    Raises
    ------
    UsageError
        A file cannot be read.
    """
    try:
        names = kept_files(path.name for path in folder.iterdir())
        return digest([[name, file_digest(folder / name)] for name in names])
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}; give the folder of a model") from error


def model_with_digest(sha256: str) -> Path | None:
    """Return the folder of a model with this SHA-256 below those of ``OSSICLE_ENCODERS``; None if there is none."""
    for root in encoder_folders():
        for base, _, names in walk(root) if root.is_dir() else ():
            if CONFIG in names and model_digest(base) == sha256:
                return base
    return None


def kept_files(names: Iterable[str]) -> list[str]:
    """Return which of the files of a model are read, sorted: weights as safetensors where there are any.

    >>> kept_files(["README.md", "config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5"])
    ['config.json', 'model.safetensors']
    >>> kept_files(["config.json", "model.py", "pytorch_model.bin"])
    ['config.json', 'pytorch_model.bin']
    """
    names_in_order = sorted(names)
    safe = any(fnmatchcase(name, _SAFE) for name in names_in_order)
    patterns = _KEPT if safe else _KEPT_WITHOUT_SAFE
    return [name for name in names_in_order if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _downloaded(name: str) -> Path:
    try:
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError as error:
        raise UsageError("models of the Hugging Face hub need an extra: pip install 'ossicle[encoders]'") from error
    try:
        return Path(snapshot_download(name, allow_patterns=kept_files(HfApi().list_repo_files(name))))
    except Exception as error:  # noqa: BLE001 - whatever the hub's client and the network raise
        first_line = str(error).split("\n", 1)[0]
        try:
            return Path(snapshot_download(name, local_files_only=True))
        except LocalEntryNotFoundError:
            raise UsageError(
                f"[encoder] path = {name!r} is neither a folder nor a model that can be downloaded from the Hugging "
                f"Face hub ({first_line}); give a folder with {CONFIG}, {PREPROCESSOR} and model.safetensors"
            ) from error
