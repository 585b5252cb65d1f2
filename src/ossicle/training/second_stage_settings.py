"""The settings of the second stage, which judges the events of the first."""

from ossicle.core.settings import setting, settings

NONE = "none"


@settings
class SecondStageSettings:
    """``[second_stage]``: trees that re-score events from how they sound; none unless asked for."""

    kind: str = setting(
        default=NONE,
        help="random forest or gradient boosting over the first stage's events, or none",
        choices=(NONE, "forest", "boosting"),
    )
    lower_on: float = setting(
        default=0.5,
        help="further candidates are sought down to this share of the fitted on threshold; 1 for none",
        gt=0,
        le=1,
    )
    trees: int = setting(default=300, help="trees a label", ge=1, le=5000)
    min_leaf: int = setting(default=2, help="least candidates in a leaf", ge=1)
    max_depth: int = setting(default=24, help="deepest tree of a forest", unit="levels", ge=1, le=48)
    boosting_depth: int = setting(default=3, help="deepest tree of a boosting", unit="levels", ge=1, le=48)
    learning_rate: float = setting(default=0.05, help="step of each tree of a boosting", gt=0, le=1)
    calibration: str = setting(
        default="platt", help="how the fused score becomes a probability", choices=("platt", "isotonic")
    )
    inner_parts: int = setting(
        default=5, help="parts into which groups are put to fit calibration and threshold out of sample", ge=2
    )
    surroundings_s: float = setting(
        default=0.5, help="sound on each side that an event's level is compared with", unit="s", ge=0, le=30
    )
    longest_s: float = setting(default=5.0, help="of a longer event, its last part is looked at", unit="s", gt=0, le=60)
    hand_labels: str = setting(
        default="",
        help="folder of Raven tables, beside the project file, in which people called events target or noise; "
        "these words count more than the annotations in fitting; empty for none",
    )
    seed: int = setting(default=0, help="seed of the trees", ge=0)
