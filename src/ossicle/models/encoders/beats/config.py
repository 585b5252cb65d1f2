"""The configuration in a BEATs checkpoint, checked before a network of its size is built."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ossicle.core.errors import ArtefactError

# More than any published model, and small enough to build.
_MOST = 1 << 14
_SIZES = (
    "input_patch_size",
    "embed_dim",
    "encoder_layers",
    "encoder_embed_dim",
    "encoder_ffn_embed_dim",
    "encoder_attention_heads",
    "conv_pos",
    "conv_pos_groups",
    "num_buckets",
    "max_distance",
)
_FLAGS = ("conv_bias", "deep_norm")
_SHARES = ("dropout", "attention_dropout", "activation_dropout")
# What every published checkpoint has, and this implementation assumes.
_ASSUMED: dict[str, Any] = {
    "activation_fn": "gelu",
    "layer_norm_first": False,
    "relative_position_embedding": True,
    "gru_rel_pos": True,
}


@dataclass(frozen=True, slots=True)
class BeatsConfig:
    """The values of ``cfg`` that shape the network; names as in the file."""

    input_patch_size: int
    embed_dim: int
    encoder_layers: int
    encoder_embed_dim: int
    encoder_ffn_embed_dim: int
    encoder_attention_heads: int
    conv_pos: int
    conv_pos_groups: int
    num_buckets: int
    max_distance: int
    conv_bias: bool
    deep_norm: bool
    dropout: float
    attention_dropout: float
    activation_dropout: float
    finetuned_model: bool


def read_config(cfg: object, where: str) -> BeatsConfig:
    """Return the configuration in a checkpoint's ``cfg``.

    Parameters
    ----------
    cfg
        What the file holds.
    where
        Name of the file, for messages.

    Raises
    ------
    ArtefactError
        A value is missing, impossible, or describes a variant that is not supported; the message names the key.
    """
    if not isinstance(cfg, Mapping):
        raise ArtefactError(f"{where}: cfg is not a table of settings; is this a BEATs checkpoint?")
    for key, expected in _ASSUMED.items():
        if cfg.get(key) != expected:
            raise ArtefactError(
                f"{where}: cfg.{key} = {cfg.get(key)!r} is not supported; published BEATs checkpoints have {expected!r}"
            )
    values: dict[str, Any] = {key: _whole_number(cfg, key, where) for key in _SIZES}
    values |= {key: _flag(cfg, key, where) for key in _FLAGS}
    values |= {key: _share(cfg, key, where) for key in _SHARES}
    values["finetuned_model"] = cfg.get("finetuned_model", False) is True
    config = BeatsConfig(**values)
    if config.encoder_embed_dim % config.encoder_attention_heads or config.encoder_embed_dim % config.conv_pos_groups:
        raise ArtefactError(
            f"{where}: cfg.encoder_embed_dim = {config.encoder_embed_dim} is not a multiple of "
            f"encoder_attention_heads = {config.encoder_attention_heads} and conv_pos_groups = {config.conv_pos_groups}"
        )
    if config.num_buckets < 4 or config.max_distance <= config.num_buckets // 4:
        raise ArtefactError(
            f"{where}: cfg.num_buckets = {config.num_buckets} and max_distance = {config.max_distance} do not fit"
        )
    return config


def _whole_number(cfg: Mapping[str, Any], key: str, where: str) -> int:
    value = cfg.get(key)
    if type(value) is not int or not 1 <= value <= _MOST:
        raise ArtefactError(f"{where}: cfg.{key} = {value!r} is not a whole number from 1 to {_MOST}")
    return value


def _flag(cfg: Mapping[str, Any], key: str, where: str) -> bool:
    value = cfg.get(key)
    if type(value) is not bool:
        raise ArtefactError(f"{where}: cfg.{key} = {value!r} is not true or false")
    return value


def _share(cfg: Mapping[str, Any], key: str, where: str) -> float:
    value = cfg.get(key, 0.0)
    if type(value) not in (int, float) or not 0 <= value < 1:
        raise ArtefactError(f"{where}: cfg.{key} = {value!r} is not a share from 0 to below 1")
    return float(value)


def written_config(config: BeatsConfig) -> dict[str, Any]:
    """Return ``cfg`` for a checkpoint of this configuration, which :func:`read_config` reads back."""
    # A network in memory has no classifier, whatever its file had.
    return asdict(config) | _ASSUMED | {"finetuned_model": False}
