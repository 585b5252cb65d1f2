"""The two files of a quantiser: ``quantiser.json``, its description, and ``quantiser.npz``, its arrays.

``numpy.load`` opens the arrays (``centres``, ``mean``, ``scale``; float32), and nothing is pickled. The description
gives their shapes and checksums, so a stranger's file cannot require more memory than its own size.
"""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.files import how_to_mend, read_json, whole_file, write_json
from ossicle.artefacts.filesystem.changes import open_new
from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.core.errors import ArtefactError, UsageError
from ossicle.core.value_checks import count_fault, raise_first

FORMAT_VERSION = 1

_MOST_BYTES = 1 << 30
_MOST_DIM = 1 << 16
_KEYS = ("encoder", "hop_s", "origin_s", "normalisation", "seed", "fit")
# What folders of earlier versions lack.
_LATER_KEYS = ("heard",)
_DTYPE = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class StoredQuantiser:
    """What the two files contain.

    Attributes
    ----------
    arrays
        ``centres`` (k, dim), ``mean`` (dim,) and ``scale`` (dim,), float32.
    described
        The description: encoder, hop_s, origin_s, normalisation, seed, fit; and heard, None if it is unknown.
    """

    arrays: Mapping[str, NDArray[np.float32]]
    described: Mapping[str, Any]

    @staticmethod
    @contextmanager
    def faults_named(source: Path) -> Iterator[None]:
        """Turn errors about values that were read into ArtefactError with the name of the file."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ArtefactError(f"{source}: a value is missing or wrong ({error}); {how_to_mend(source)}") from error


def write_quantiser(folder: Path, stored: StoredQuantiser) -> None:
    """Write both files, the description last."""
    arrays = {name: np.ascontiguousarray(array, _DTYPE) for name, array in sorted(stored.arrays.items())}
    k, dim = arrays["centres"].shape
    files = QuantiserFolder(folder)
    # An open file, because `savez` would add a suffix to the temporary name.
    with whole_file(files.arrays_file) as part, open_new(part) as handle:
        np.savez(handle, allow_pickle=False, **arrays)
    sums = {name: sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
    write_json(
        files.description_file, {"format": FORMAT_VERSION, "k": k, "dim": dim, "sha256": sums, **dict(stored.described)}
    )


def read_quantiser(path: Path) -> tuple[StoredQuantiser, Path]:
    """Return the content of the files in the folder ``path`` (or beside the file ``path``), and the description's path.

    Raises
    ------
    UsageError
        There is no quantiser.
    ArtefactError
        It is damaged.
    """
    beside = QuantiserFolder(path.parent)
    files = beside if path in (beside.description_file, beside.arrays_file) else QuantiserFolder(path)
    described_file, arrays_file = files.description_file, files.arrays_file
    if not described_file.exists():
        raise UsageError(
            f"{path}: not a quantiser: {described_file} does not exist; name the folder `quantiser` of a project that "
            "`ossicle run` has finished"
        )
    value = read_json(described_file)
    if not isinstance(value, dict) or value.get("format") != FORMAT_VERSION:
        raise ArtefactError(
            f"{described_file}: not a quantiser of format {FORMAT_VERSION}; {how_to_mend(described_file)}"
        )
    with StoredQuantiser.faults_named(described_file):
        k, dim, sums = value["k"], value["dim"], value["sha256"]
        raise_first("quantiser", count_fault("k", k, 1, 1 << 15), count_fault("dim", dim, 1, _MOST_DIM))
        described = {key: value[key] for key in _KEYS} | {key: value.get(key) for key in _LATER_KEYS}
        shapes = {"centres": (k, dim), "mean": (dim,), "scale": (dim,)}
        stated = {name: str(sums[name]) for name in shapes}
    arrays = _arrays(arrays_file, shapes)
    for name, array in arrays.items():
        if sha256(array.tobytes()).hexdigest() != stated[name]:
            raise ArtefactError(
                f"{arrays_file}: {name} is not what {described_file.name} describes (SHA-256); "
                f"{how_to_mend(arrays_file)}"
            )
    return StoredQuantiser(arrays, described), described_file


def _arrays(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    try:
        data = read_regular(path, _MOST_BYTES)
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise ArtefactError(f"{path}: it is compressed, as no quantiser is; {how_to_mend(path)}")
            return {name: _array(archive.read(f"{name}.npy"), name, shape) for name, shape in shapes.items()}
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, EOFError, RuntimeError, SyntaxError) as error:
        # A stranger's file may break any of the readers below.
        raise ArtefactError(f"{path} cannot be read ({error}); {how_to_mend(path)}") from error


def _array(data: bytes, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    handle = BytesIO(data)
    if np.lib.format.read_magic(handle) != (1, 0):
        raise ValueError(f"{name} has another version of the .npy format")
    stored_shape, fortran, dtype = np.lib.format.read_array_header_1_0(handle)
    body = data[handle.tell() :]
    if stored_shape != shape or fortran or dtype != _DTYPE or len(body) != int(np.prod(shape)) * _DTYPE.itemsize:
        raise ValueError(f"{name} has the shape {stored_shape} of {dtype} instead of {shape} of {_DTYPE}")
    return np.frombuffer(body, _DTYPE).reshape(shape)
