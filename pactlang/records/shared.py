"""One reader for all programs that read the same fields of the same records.

In: schemas.  Out: readers.  A reader lives as long as somebody who uses it.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

import msgspec

from pactlang.records.reader import Reader
from pactlang.schema import Schema

_readers: WeakValueDictionary[bytes, Reader] = WeakValueDictionary()


def reader_of(schema: Schema) -> Reader:
    """The reader of a schema.  ProgramError as `Reader` raises it."""
    key = msgspec.msgpack.encode(schema, order="deterministic")
    reader = _readers.get(key)
    if reader is None:
        reader = _readers.setdefault(key, Reader(schema))
    return reader
