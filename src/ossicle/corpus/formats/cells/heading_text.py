"""When a heading is what a user calls it: case, outer blanks and composed letters do not count."""

import unicodedata


def same_heading(name: str) -> str:
    """Return the form in which a heading is compared with what a user calls it: lower case, in Unicode NFC.

    Parameters
    ----------
    name
        The heading, or what the user wrote.

    Returns
    -------
    str
        The same text for both, if they differ in case, outer blanks or composed letters only.

    Examples
    --------
    >>> same_heading(" Espe\u0300ce") == same_heading("ESP\u00c8CE")
    True
    """
    return unicodedata.normalize("NFC", name.strip()).lower()
