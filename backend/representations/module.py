"""The torch side of a representation: its state as flat tensors by name."""

from torch import Tensor, nn


class StatefulModule(nn.Module):
    """A module whose parameters and buffers are all that training changes."""

    def state(self) -> dict[str, Tensor]:
        """Copies of them, by name."""
        return {name: value.detach().clone() for name, value in self.state_dict().items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up a saved state, also one whose parameters have other shapes (another grid)."""
        for name, parameter in self.named_parameters():
            parameter.data = parameter.data.new_empty(state[name].shape)
        self.load_state_dict(state)
