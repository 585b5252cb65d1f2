import pytest

from ossicle.core.model_input.channel import AudioSettings, channel_name
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.settings import digestible

PLAN = {"rate": 8000, "hop_samples": 80, "window_samples": 256, "core_frames": 100, "context_frames": 10}


@pytest.mark.parametrize(
    ("value", "name"), [("mean", "mean"), ("first", "first"), ("loudest", "loudest"), (1, "1"), ("2", "2"), ("08", "8")]
)
def test_choices(value, name):
    assert channel_name(value) == AudioSettings(channel=value).name == name


@pytest.mark.parametrize("value", ["", "left", 0, -1, "0", "1.5", 1025, True, None, 1.0, "²", "٣", "Mean", "1" * 9])
def test_what_is_no_choice_is_refused(value):
    with pytest.raises(ValueError, match=r'is not "mean", "first", "loudest" or the number'):
        channel_name(value)


def test_the_default_is_in_no_fingerprint_so_that_earlier_results_stay_valid():
    assert digestible(ChunkPlan(**PLAN)) == PLAN
    assert digestible(AudioSettings()) == {}
    assert digestible(ChunkPlan(**PLAN, channel="2")) == PLAN | {"channel": "2"}
    assert digestible(AudioSettings(channel="first")) == {"channel": "first"}


def test_a_plan_with_no_such_channel_is_refused():
    with pytest.raises(ValueError, match="channel = 'both'"):
        ChunkPlan(**PLAN, channel="both")
