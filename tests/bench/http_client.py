"""The load of the bench's HTTP part: some connections, each sending the next request once it has its answer.

Requests are made beforehand, signed codes and all, so that the client costs the machine little.
"""

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone

from tests.bench import ground
from vouchers.codes import token

SECONDS_OF_A_CODE = 45  # within the windows in which it is taken
DAYS_BACK = 3  # and three servings a day
STRIDE = 7919  # from one elder to another far away, so that neighbours do not share pages


class Load:
    def __init__(self, *, elders: int, tokens: list[str], month: date) -> None:
        self._elders, self._tokens, self._first = elders, tokens, month
        self._done = 0
        self._key_id, self._seed = next(iter(settings.TOKEN_KEYS.items()))

    def run(
        self, address: str, kind: str, *, connections: int, seconds: float, most: int | None = None
    ) -> dict[str, float]:
        """Requests a second together, and the times of one in milliseconds."""
        each = min(int(seconds * 150) + 20, (most or 10**9) // connections + 1)
        host, _colon, port = address.removeprefix("http://").partition(":")
        first, beyond = self._done + 1, self._done + 1 + each * connections
        piles = [
            list(self._requests(kind, range(first + place, beyond, connections)))
            for place in range(connections)
        ]
        took: list[list[float]] = [[] for _ in piles]
        wrong: list[bytes] = []
        ready = threading.Barrier(connections + 1)
        until = [0.0]

        def work(place: int) -> None:
            with socket.create_connection((host, int(port))) as line:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ready.wait()
                for request in piles[place]:
                    began = time.perf_counter()
                    if began > until[0]:
                        break
                    line.sendall(request)
                    answer = _answer(line)
                    took[place].append(time.perf_counter() - began)
                    if answer[9:12] not in (b"201", b"200"):
                        wrong.append(answer)

        threads = [threading.Thread(target=work, args=(place,)) for place in range(connections)]
        for thread in threads:
            thread.start()
        until[0] = time.perf_counter() + min(seconds, SECONDS_OF_A_CODE)
        began = time.perf_counter()
        ready.wait()
        for thread in threads:
            thread.join()
        lasted = time.perf_counter() - began
        self._done += max(map(len, took)) * connections  # those that were not sent come again
        if wrong:
            raise SystemExit(f"{len(wrong)} requests failed, the first:\n{wrong[0][:600].decode()}")
        times = sorted(one for some in took for one in some)
        return {
            "count": len(times),
            "rate": len(times) / lasted,
            "ms": times[len(times) // 2] * 1000,
            "p99": times[len(times) * 99 // 100] * 1000,
        }

    def _requests(self, kind: str, numbers: range) -> Iterator[bytes]:
        now = timezone.now()
        for number in numbers:
            # Two halves: a code that one terminal has scanned is no good at another for its 30 seconds.
            half = self._elders // 2
            turn, place = divmod(number, half)
            elder = place * STRIDE % half + (half if kind == "one premises" else 0)
            happened_at = max(now - timedelta(days=turn % DAYS_BACK), min(now, ground.at_noon(self._first)))
            premises = 0 if kind == "one premises" else elder % ground.PREMISES
            body = {
                "premises": ground.premises_code(premises + 1),
                "service": ground.SERVICE,
                "quantity": 1,
                "happened_at": happened_at.isoformat(),
            }
            headers = [f"Idempotency-Key: bench-{number}"]
            if kind == "bare":
                body |= {"elder": ground.elder_code(elder), "key": f"bench-{number}"}
            else:
                body["elder"] = {"token": self._code(elder + 1)}
                headers.append(f"Authorization: Bearer {self._tokens[premises]}")
            yield _request("quotes" if kind == "quotes" else "redemptions", headers, body)

    def _code(self, number: int) -> str:
        moving = token.Token(
            token.Kind.MOVING, token.Audience.COUNTER, number, token.window_of(timezone.now())
        )
        return token.make(moving, key_id=self._key_id, seed=self._seed)


def _request(path: str, headers: list[str], body: dict) -> bytes:
    content = json.dumps(body).encode()
    head = [
        f"POST /api/v1/{path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + content


def _answer(line: socket.socket) -> bytes:
    """One whole answer, which must say how long it is."""
    read = line.recv(65536)
    while b"\r\n\r\n" not in read:
        read += _more(line)
    head, _blank, body = read.partition(b"\r\n\r\n")
    length = next(
        int(field.partition(b":")[2])
        for field in head.split(b"\r\n")
        if field.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        more = _more(line)
        body += more
        read += more
    return read


def _more(line: socket.socket) -> bytes:
    more = line.recv(65536)
    if not more:
        raise SystemExit("the server hung up in the middle of an answer")
    return more
