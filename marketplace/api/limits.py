"""How often one caller may ask: a bucket that fills by so many a second up to so many at once.

Kept in the memory of each process: it protects the others from a device that has gone mad, not the money. It is
generous, for at noon a queue stands at every counter.
"""

import threading
import time
from dataclasses import dataclass, field

from django.conf import settings

MOST_CALLERS = 20_000


@dataclass
class Limit:
    """`each_second` and `at_once` name settings, so that an installation may choose."""

    each_second: str
    at_once: str
    _full: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, who: str, *, cost: float = 1) -> float:
        """Take from this caller's bucket; the seconds to wait where there is not enough in it, otherwise 0."""
        rate, most = getattr(settings, self.each_second), getattr(settings, self.at_once)
        now = time.monotonic()
        with self._lock:
            level, then = self._full.get(who, (most, now))
            level = min(most, level + (now - then) * rate)
            if level < cost:
                self._full[who] = (level, now)
                return (cost - level) / rate
            if len(self._full) >= MOST_CALLERS and who not in self._full:
                self._full.clear()  # full buckets all round, rather than memory without end
            self._full[who] = (level - cost, now)
            return 0

    def forget(self) -> None:
        with self._lock:
            self._full.clear()


TERMINALS = Limit("API_TERMINAL_EACH_SECOND", "API_TERMINAL_AT_ONCE")
PARTNERS = Limit("API_PARTNER_EACH_SECOND", "API_PARTNER_AT_ONCE")
ELDERS = Limit("API_ELDER_EACH_SECOND", "API_ELDER_AT_ONCE")
# By address: whoever tries codes has none of another kind to be known by.
ENROLMENTS = Limit("API_ENROLMENT_EACH_SECOND", "API_ENROLMENT_AT_ONCE")
