"""A bidirectional GRU for training on CPUs: the result of ``torch.nn.GRU`` with half the operations per frame.

On a CPU, ``torch.nn.GRU`` processes each direction separately and records every operation of every frame for autograd;
small networks spend half of a training step there. Here both directions are one batch, and the gradient is written out
(Cho et al. 2014, in cuDNN's form: the reset gate acts after the recurrent product). ``torch.nn.GRU`` keeps the weights,
is the reference in the tests, and also runs wherever nothing is trained.

References
----------
K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation", 2014.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def bidirectional_gru(x: Tensor, gru: nn.GRU) -> Tensor:
    """Return the output of ``gru``, one layer, bidirectional, batch first: (batch, n_frames, width) -> (..., 2 *
    hidden).

    Values and gradients equal those of ``gru`` up to rounding.
    """
    names = [f"{kind}_l0{way}" for kind in ("weight_ih", "bias_ih", "weight_hh", "bias_hh") for way in ("", "_reverse")]
    parts: list[Tensor] = [getattr(gru, name) for name in names]
    # Gates of the input for all frames at once; the backward direction reads time in reverse.
    forward = nn.functional.linear(x, parts[0], parts[2])
    backward = nn.functional.linear(x, parts[1], parts[3]).flip(1)
    gates = torch.stack([forward, backward]).permute(2, 0, 1, 3).contiguous()
    recurrent = torch.stack([parts[4], parts[5]]).transpose(1, 2).contiguous()
    states: Tensor = _Recurrence.apply(gates, recurrent, torch.stack([parts[6], parts[7]])[:, None])
    ahead, behind = states.permute(1, 2, 0, 3)
    return torch.cat([ahead, behind.flip(1)], dim=-1)


class _Recurrence(torch.autograd.Function):
    """Gates of the input (n_frames, 2, batch, 3 * hidden), weights (2, hidden, 3 * hidden), bias (2, 1, 3 * hidden).

    Returns the states (n_frames, 2, batch, hidden); gates are in torch's order: reset, update, new.
    """

    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        n_frames, ways, batch, wide = gates.shape
        hidden = wide // 3
        states = gates.new_zeros(n_frames + 1, ways, batch, hidden)
        # Reset and update, then the new state and the part of it from the old one.
        opened = gates[..., : 2 * hidden].contiguous()
        fresh = gates[..., 2 * hidden :].contiguous()
        carried = gates.new_empty(n_frames, ways, batch, hidden)
        bias = bias.expand(ways, batch, wide)
        for frame in range(n_frames):
            state = states[frame]
            product = torch.baddbmm(bias, state, weight)
            gate = opened[frame].add_(product[..., : 2 * hidden]).sigmoid_()
            carried[frame] = product[..., 2 * hidden :]
            new = fresh[frame].addcmul_(gate[..., :hidden], carried[frame]).tanh_()
            torch.lerp(new, state, gate[..., hidden:], out=states[frame + 1])
        ctx.save_for_backward(states, opened, fresh, carried, weight)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states, opened, fresh, carried, weight = ctx.saved_tensors
        hidden = fresh.shape[-1]
        reset, update = opened[..., :hidden], opened[..., hidden:]
        # Derivatives of the state by each gate's input, for all frames at once; only the state's gradient is
        # sequential.
        of_new = (1 - update) * (1 - fresh * fresh)
        of_update = (states[:-1] - fresh) * update * (1 - update)
        of_reset = of_new * carried * reset * (1 - reset)
        slopes = torch.stack([of_reset, of_update, of_new * reset], dim=3)
        moved = torch.empty_like(slopes)
        back = weight.transpose(1, 2).contiguous()
        whole = torch.empty_like(states[1:])
        # Gradient of a state: from its own output and from the next frame.
        carried_gradient = torch.zeros_like(states[0])
        for frame in range(len(whole) - 1, -1, -1):
            frame_gradient = torch.add(gradient[frame], carried_gradient, out=whole[frame])
            torch.mul(slopes[frame], frame_gradient[:, :, None], out=moved[frame])
            carried_gradient = torch.baddbmm(frame_gradient * update[frame], moved[frame].flatten(2), back)
        of_product = moved.flatten(3)
        ways = of_product.shape[1]
        rows = of_product.transpose(0, 1).reshape(ways, -1, 3 * hidden)
        of_weight = states[:-1].transpose(0, 1).reshape(ways, -1, hidden).transpose(1, 2) @ rows
        of_gates = torch.cat([of_product[..., : 2 * hidden], whole * of_new], dim=-1)
        return of_gates, of_weight, rows.sum(dim=1, keepdim=True)
