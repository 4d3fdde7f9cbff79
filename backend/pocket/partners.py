"""Processes that take part in every step of training: data parallelism on one machine.

Two threads of one process wait for each other after every small operation; two processes of one
thread each meet once a step.
"""

import signal
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.multiprocessing import get_context

ENDED = "a process that takes part in training ended"


class Learner(Protocol):
    """What can say its loss on a batch at a step; picklable."""

    network: nn.Module
    step: int
    share: int

    def compile(self) -> None: ...

    def loss(self, batch: Any) -> Tensor: ...


class Partner:
    """A process that shares a learner's parameters, and hands over gradients on batches of its
    own."""

    def __init__(self, learner: Learner, share: int, compiled: bool = False) -> None:
        learner.network.share_memory()
        self._gradients = [torch.zeros_like(p).share_memory_() for p in _parameters(learner)]
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(
            target=_take_part, args=(learner, share, self._gradients, other, compiled), daemon=True
        )
        self._process.start()
        other.close()

    def begin(self, step: int, batch: Any) -> None:
        """Let it work on a batch, with the parameters as they are. Raises as `add_gradients`."""
        try:
            self._pipe.send((step, batch))
        except BrokenPipeError:
            raise RuntimeError(ENDED) from None

    def add_gradients(self, parameters: list[nn.Parameter]) -> float:
        """Wait for it, and add its gradients to those of the parameters; returns its loss.

        Raises RuntimeError where it died.
        """
        try:
            loss, reached = self._pipe.recv()
        except EOFError:
            raise RuntimeError(ENDED) from None
        for parameter, gradient, there in zip(parameters, self._gradients, reached, strict=True):
            if there and parameter.grad is None:
                parameter.grad = gradient.clone()
            elif there and parameter.grad is not None:
                parameter.grad += gradient
        return float(loss)

    def close(self) -> None:
        """End it."""
        self._process.terminate()


def _parameters(learner: Learner) -> list[nn.Parameter]:
    return list(learner.network.parameters())


def _take_part(
    learner: Learner, share: int, gradients: list[Tensor], pipe: Any, compiled: bool
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends it
    torch.set_num_threads(1)
    learner.share = share
    if compiled:
        learner.compile()
    while True:
        try:
            learner.step, batch = pipe.recv()
        except EOFError:
            return
        loss = learner.loss(batch)
        loss.backward()
        reached = [parameter.grad is not None for parameter in _parameters(learner)]
        for parameter, gradient in zip(_parameters(learner), gradients, strict=True):
            if parameter.grad is not None:
                gradient.copy_(parameter.grad)
        learner.network.zero_grad(set_to_none=True)
        pipe.send((float(loss.detach()), reached))
