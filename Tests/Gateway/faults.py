"""What a test lets go wrong between a client and the gateway: a list of faults, each for its next `count` requests.

| kind | what the client sees |
| --- | --- |
| `status` | `status` with `headers` and `body` (text, or JSON), and nothing was done |
| `drop` | the connection ends before there is a reply; nothing was done |
| `dropReply` | what was asked for is done, and the connection ends before the reply |
| `truncate` | the reply, of which the last `bytes` bytes never come |
| `hang` | nothing, until it gives up |
| `merge` | the reply, its `output` merged with the object `output` (a vector too many, another model, a NaN) |
"""

from dataclasses import dataclass, field
from typing import Any

KINDS = {"status", "drop", "dropReply", "truncate", "hang", "merge"}


@dataclass
class Fault:
    """One line of the list. `operation` is `run`, `runsync`, `status`, … or `*`."""

    kind: str
    operation: str = "*"
    endpoint: str = "*"
    count: int = 1
    # So many requests that it would meet pass before.
    skip: int = 0
    status: int = 502
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = "<html><body>502 Bad Gateway</body></html>"
    bytes: int = 1
    output: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind}: no kind of fault; {', '.join(sorted(KINDS))} are")


class Faults:
    """The list. The first that fits is used up first."""

    def __init__(self):
        self._list: list[Fault] = []

    def replace(self, values: list[dict]) -> None:
        """Sets the whole list; an empty one ends all faults."""
        self._list = [Fault(**value) for value in values]

    def next(self, endpoint: str, operation: str) -> Fault | None:
        """The fault that a request meets, if any."""
        for fault in self._list:
            if fault.count > 0 and fault.endpoint in ("*", endpoint) and fault.operation in ("*", operation):
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.count -= 1
                return fault
        return None

    @property
    def left(self) -> int:
        """How many requests will yet meet one."""
        return sum(max(fault.count, 0) for fault in self._list)
