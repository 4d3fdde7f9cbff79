"""The kinds of objects, by family."""

from backend.pocket.world.kinds.animals import ANIMALS
from backend.pocket.world.kinds.base import Kind
from backend.pocket.world.kinds.buildings import BUILDINGS
from backend.pocket.world.kinds.food import FOOD
from backend.pocket.world.kinds.furniture import FURNITURE
from backend.pocket.world.kinds.household import HOUSEHOLD
from backend.pocket.world.kinds.plants import PLANTS
from backend.pocket.world.kinds.toys import TOYS
from backend.pocket.world.kinds.vehicles import VEHICLES

__all__ = ["KINDS", "Kind"]

# A place in this order decides what is held out of training: new kinds go to the end.
_ORDER = (
    "mug", "chair", "table", "bed", "lamp", "teapot", "umbrella", "hammer", "house", "castle",
    "tree", "cactus", "mushroom", "apple", "pumpkin", "cake", "car", "airplane", "boat", "rocket",
    "duck", "dog", "fish", "snowman", "robot",
    "sofa", "bench", "bookshelf", "stool", "wardrobe", "piano",
    "windmill", "lighthouse", "church", "tent", "igloo", "bridge", "well", "pagoda", "truck", "bus",
    "train", "tractor", "helicopter", "submarine", "balloon", "tank",
    "bottle", "vase", "bowl", "bucket", "candle", "bell", "guitar", "hat", "clock", "book",
    "cat", "rabbit", "elephant", "giraffe", "pig", "owl", "penguin", "turtle", "snail", "butterfly",
    "snake", "crab", "octopus", "whale",
    "banana", "pear", "carrot", "donut", "ice cream", "burger", "pineapple", "cupcake", "cheese",
    "lollipop", "flower", "tulip", "palm tree", "potted plant",
    "teddy bear", "spinning top", "drum", "crown", "gift", "rocking horse", "dice", "bowling pin",
    "ghost", "kite",
)  # fmt: skip

_FOUND = {
    kind.name: kind
    for kind in (
        *FURNITURE, *HOUSEHOLD, *BUILDINGS, *PLANTS, *FOOD, *VEHICLES, *ANIMALS, *TOYS,
    )
}  # fmt: skip

KINDS: dict[str, Kind] = {name: _FOUND[name] for name in _ORDER}
