"""Sizes of files in words."""

_UNITS = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def size_in_words(n_bytes: float) -> str:
    """Return a size in the unit that suits it, powers of 1000 as disks are sold.

    Parameters
    ----------
    n_bytes
        The size in bytes, at least 0.

    Examples
    --------
    >>> size_in_words(0), size_in_words(812), size_in_words(1), size_in_words(16_300)
    ('0 bytes', '812 bytes', '1 byte', '16.3 kB')
    >>> size_in_words(999_960), size_in_words(52_000_000), size_in_words(1_234_567_890), size_in_words(4.1e12)
    ('1.0 MB', '52.0 MB', '1.2 GB', '4.1 TB')
    """
    for unit, size in _UNITS:
        # What would be rounded to 1000 is 1 of the next unit.
        if n_bytes >= 0.99995 * size:
            return f"{n_bytes / size:.1f} {unit}"
    whole = round(n_bytes)
    return f"{whole} byte{'' if whole == 1 else 's'}"
