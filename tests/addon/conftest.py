"""The add-on's core without Blender: `addon/` and `protocol/` as the one package that the extension
makes of them, with a client that a test plays itself."""

import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

if "distillery" not in sys.modules:
    package = types.ModuleType("distillery")
    package.__path__ = [str(ROOT)]
    sys.modules["distillery"] = package

from distillery.protocol import messages  # noqa: E402


class FakeClient:
    """Notes what is asked; the test answers by calling what it was given."""

    def __init__(self) -> None:
        self.state = "offline"
        self.problem = None
        self.asked: list[tuple[str, tuple, dict]] = []
        self.pumped = 0
        self.closed = False

    def pump(self, budget_seconds: float = 0.01) -> bool:
        self.pumped += 1
        return False

    def close(self) -> None:
        self.closed = True

    def __getattr__(self, name: str):
        if name not in ("describe", "submit", "watch", "control", "list_jobs", "fetch_result"):
            raise AttributeError(name)

        def ask(*arguments, **words):
            self.asked.append((name, arguments, words))

        return ask

    def last(self, name: str) -> tuple:
        """The arguments of the newest request of that name."""
        return next(arguments for asked, arguments, _ in reversed(self.asked) if asked == name)

    def count(self, name: str) -> int:
        return sum(asked == name for asked, _, _ in self.asked)


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def recipe():
    """A recipe with one option of each kind and two presets."""
    option = messages.Option
    return messages.RecipeInfo(
        id="dream-3d", title="Dream", task="text_to_3d", summary="", citation="",
        capabilities=("text",), inputs=("prompt", "negative_prompt"),
        options=(
            option(name="steps", kind="int", default=1000, help="Steps.", low=1, high=9000),
            option(name="fov_degrees", kind="float", default=0.1, help="View.", unit="degrees"),
            option(name="shaded", kind="bool", default=True, help="Light."),
            option(name="start", kind="choice", default="blob", help="Start.",
                   choices=("blob", "views")),
        ),
        presets={"draft": {"steps": 100}, "standard": {}},
    )
