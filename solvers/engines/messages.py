"""Messages between the planner and its engines: pickles, each after its length."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from typing import IO, Any

#: What an engine says: ``incumbent`` (solution, objective), ``bound``, ``multipliers``, and at last ``done`` (how it
#: ended) or ``failed`` (its words).
Message = tuple[Any, ...]
Send = Callable[[Message], None]

_LENGTH = struct.Struct("<Q")


def write_message(stream: IO[bytes], message: object) -> None:
    """Write one message and flush."""
    payload = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(payload)) + payload)
    stream.flush()


def read_message(stream: IO[bytes]) -> Any:
    """One message, or None at the end of the stream."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    return pickle.loads(stream.read(_LENGTH.unpack(header)[0]))  # noqa: S301 - both ends of the pipe are ours
