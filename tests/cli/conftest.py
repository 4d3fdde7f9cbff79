"""The command line's tests talk to a server as the service's tests do."""

from tests.service.conftest import server

__all__ = ["server"]
