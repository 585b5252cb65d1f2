"""Measured numbers in messages, rounded for people."""


def rounded(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, and all digits of a larger whole number.

    Parameters
    ----------
    value
        The number.
    digits
        Significant digits; digits before the point are never dropped for powers of ten.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> rounded(0.12345), rounded(12.3456), rounded(999.7), rounded(20160.4), rounded(120, 2)
    ('0.123', '12.3', '1000', '20160', '120')
    """
    return f"{value:.0f}" if abs(value) >= 10**digits - 0.5 else f"{value:.{digits}g}"
