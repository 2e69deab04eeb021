"""Stored calls as lines of JSON, for other tools and for `pactc run`.

In: `StoredEntry`s.  Out: one JSON object per call, without line breaks.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pactlang.ledger.entry import StoredEntry

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def call_line(entry: StoredEntry) -> bytes:
    """The call alone, as it is stored; a text where it is no JSON."""
    return bytes(_call(entry.call)) if _is_json(entry.call) else _encode(_text(entry.call))


def entry_line(entry: StoredEntry) -> bytes:
    """The call with its capture, its verdict and its link of the chain."""
    return _encode(entry_data(entry))


def entry_data(entry: StoredEntry) -> dict[str, Any]:
    """What is stored of a call, as data for an encoder of msgspec."""
    said = entry.said
    more: dict[str, Any] = {"duplicate": True} if said.duplicate else {}
    if said.undecodable:
        more["undecodable"] = True
    if said.aside is not None:
        return {
            "capture": {"writer": entry.writer, "number": entry.number}, "time": entry.time,
            "stored": entry.stored, "pact": entry.pact, "aside": said.aside, "digest": entry.digest.hex(),
        }  # fmt: skip
    return {
        "capture": {"writer": entry.writer, "number": entry.number},
        "session": entry.session,
        "seq": entry.seq,
        "time": entry.time,
        "stored": entry.stored,
        "pact": entry.pact,
        "outside": entry.said.outside,
        "violated": entry.said.violated,
        "unknown": entry.said.unknown,
        "skipped": entry.said.skipped,
        "withheld": entry.withheld,
        "digest": entry.digest.hex(),
        "call": _call(entry.call) if _is_json(entry.call) else _text(entry.call),
        **more,
    }


def _call(call: bytes) -> msgspec.Raw:
    return msgspec.Raw(call.replace(b"\n", b" ").replace(b"\r", b" "))  # only between the parts of JSON


def _is_json(call: bytes) -> bool:
    try:
        _decode(call)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True


def _text(call: bytes) -> str:
    return call.decode("utf-8", "backslashreplace")
