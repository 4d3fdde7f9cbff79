"""Nothing but what must come before torch."""

import backend  # noqa: F401  sets how idle threads wait
