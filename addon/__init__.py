"""The add-on: runs inside Blender, knows Blender and the protocol, never the compute.

Importing this package imports no Blender, so that ``core`` can be used and tested without.
"""


def register() -> None:
    """Add everything to Blender."""
    from . import registry

    registry.register()


def unregister() -> None:
    """Take everything out again."""
    from . import registry

    registry.unregister()
