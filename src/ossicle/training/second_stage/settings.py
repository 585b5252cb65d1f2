"""The settings of the second stage, which judges the events of the first."""

from ossicle.core.settings import setting, settings

NONE = "none"


@settings
class SecondStageSettings:
    """``[second_stage]``: trees that re-score events from how they sound; none unless asked for."""

    kind: str = setting(
        default=NONE,
        help="random forest or gradient boosting over the events of the first stage, or none",
        choices=(NONE, "forest", "boosting"),
    )
    lower_on: float = setting(
        default=0.5,
        help="also use candidates down to this share of the fitted threshold; 1: no further candidates",
        gt=0,
        le=1,
    )
    trees: int = setting(default=300, help="number of trees for each label", ge=1, le=5000)
    min_leaf: int = setting(default=2, help="lowest number of candidates in a leaf", ge=1)
    max_depth: int = setting(default=24, help="largest depth of the trees of a forest", unit="levels", ge=1, le=48)
    boosting_depth: int = setting(
        default=3, help="largest depth of the trees of a boosting", unit="levels", ge=1, le=48
    )
    learning_rate: float = setting(default=0.05, help="learning rate of a boosting", gt=0, le=1)
    calibration: str = setting(
        default="platt", help="map from the fused score to a probability", choices=("platt", "isotonic")
    )
    inner_parts: int = setting(
        default=5, help="number of parts of the groups, to fit calibration and threshold out of sample", ge=2
    )
    surroundings_s: float = setting(
        default=0.5, help="sound before and after an event with which its level is compared", unit="s", ge=0, le=30
    )
    longest_s: float = setting(
        default=5.0, help="length limit; of longer events only the last part is used", unit="s", gt=0, le=60
    )
    hand_labels: str = setting(
        default="",
        help="folder of Raven tables, relative to the project file, in which people labelled events as target "
        "or noise; these labels replace the annotations when the trees are fitted; empty: none",
    )
    seed: int = setting(default=0, help="seed of the trees", ge=0)
