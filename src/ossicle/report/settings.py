"""Settings of the report."""

from ossicle.core.settings import setting, settings


@settings
class ReportSettings:
    """``[report]``: what the page shows."""

    examples: int = setting(default=6, help="number of examples of each kind in the gallery", ge=0, le=50)
    margin_s: float = setting(default=0.5, help="sound shown before and after an example", unit="s", ge=0.05, le=10)
