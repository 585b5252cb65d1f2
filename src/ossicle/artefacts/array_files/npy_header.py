"""The header of a ``.npy`` file, always 128 bytes, so that a writer can add it when the number of rows is known."""

from collections.abc import Sequence

HEADER_BYTES = 128


def npy_header(descr: str, shape: Sequence[int]) -> bytes:
    """Return the header (format 1.0) of a C-ordered array.

    Parameters
    ----------
    descr
        The dtype as NumPy writes it, for example ``<f4``.
    shape
        The shape; the header has room for at least four axes.

    Raises
    ------
    ValueError
        The text is longer than the header.

    References
    ----------
    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

    Examples
    --------
    >>> npy_header("<f2", (3, 1, 4))[10:72].decode()
    "{'descr': '<f2', 'fortran_order': False, 'shape': (3, 1, 4), }"
    """
    axes = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({axes}), }}".encode()
    lead = b"\x93NUMPY\x01\x00" + (HEADER_BYTES - 10).to_bytes(2, "little")
    if len(lead) + len(text) >= HEADER_BYTES:
        raise ValueError(f"shape = {tuple(shape)} does not fit into the header of a .npy file")
    return lead + text.ljust(HEADER_BYTES - len(lead) - 1) + b"\n"
