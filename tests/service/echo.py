"""The counter with an input, whose pictures come back in the result."""

from dataclasses import replace

from tests.service import counter

RECIPE = replace(counter.RECIPE, id="echo", title="Echo", inputs=("image",))
