"""What functions and standard fields mean: the reference's words, for an editor.

Written from the tables of `grammar/README.md` by `pytest tests/test_lsp.py --update`.
"""

from __future__ import annotations

# By name: the forms, and what it gives.
FUNCTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "a + b": (
        (
            "int + int -> int",
            "uint + uint -> uint",
            "double + double -> double",
            "string + string -> string",
            "bytes + bytes -> bytes",
            "list(A) + list(A) -> list(A)",
            "timestamp + duration -> timestamp",
            "duration + timestamp -> timestamp",
            "duration + duration -> duration",
        ),
        "sum, or one after the other; an error value out of range",
    ),
    "a - b": (
        (
            "int - int -> int",
            "uint - uint -> uint",
            "double - double -> double",
            "timestamp - timestamp -> duration",
            "timestamp - duration -> timestamp",
            "duration - duration -> duration",
        ),
        "difference; an error value out of range",
    ),
    "a * b": (
        ("int * int -> int", "uint * uint -> uint", "double * double -> double"),
        "product; an error value out of range",
    ),
    "a / b": (
        ("int / int -> int", "uint / uint -> uint", "double / double -> double"),
        "quotient, of ints towards zero; an error value for an int or uint by zero",
    ),
    "a % b": (
        ("int % int -> int", "uint % uint -> uint"),
        "remainder, with the sign of a; an error value by zero",
    ),
    "-a": (("-int -> int", "-double -> double"), "an error value out of range"),
    "a == b": (("A == A -> bool",), "by value"),
    "a != b": (("A != A -> bool",), "`!(a == b)`"),
    "a < b": (
        (
            "number < number -> bool",
            "bool < bool -> bool",
            "string < string -> bool",
            "bytes < bytes -> bool",
            "timestamp < timestamp -> bool",
            "duration < duration -> bool",
        ),
        "by value; times by moment, texts by code point, `false` before `true`",
    ),
    "a <= b": (
        (
            "number <= number -> bool",
            "bool <= bool -> bool",
            "string <= string -> bool",
            "bytes <= bytes -> bool",
            "timestamp <= timestamp -> bool",
            "duration <= duration -> bool",
        ),
        "the same",
    ),
    "a > b": (
        (
            "number > number -> bool",
            "bool > bool -> bool",
            "string > string -> bool",
            "bytes > bytes -> bool",
            "timestamp > timestamp -> bool",
            "duration > duration -> bool",
        ),
        "the same",
    ),
    "a >= b": (
        (
            "number >= number -> bool",
            "bool >= bool -> bool",
            "string >= string -> bool",
            "bytes >= bytes -> bool",
            "timestamp >= timestamp -> bool",
            "duration >= duration -> bool",
        ),
        "the same",
    ),
    "a in b": (
        ("A in list(A) -> bool", "A in map(A, B) -> bool"),
        "an element of the list, a key of the map",
    ),
    "a[b]": (
        (
            "list(A)[int] -> A",
            "map(A, B)[A] -> B",
            "optional_type(list(A))[int] -> optional_type(A)",
            "optional_type(map(A, B))[A] -> optional_type(B)",
        ),
        "the element, from 0, or what is under the key; an error value if it is not there; of an optional, an optional",
    ),
    "size": (
        (
            "size(string) -> int",
            "string.size() -> int",
            "size(bytes) -> int",
            "bytes.size() -> int",
            "size(list(A)) -> int",
            "list(A).size() -> int",
            "size(map(A, B)) -> int",
            "map(A, B).size() -> int",
        ),
        "characters, bytes, elements or entries",
    ),
    "contains": (("string.contains(string) -> bool",), "the raw text occurs"),
    "startsWith": (("string.startsWith(string) -> bool",), "the raw text begins so"),
    "endsWith": (("string.endsWith(string) -> bool",), "the raw text ends so"),
    "matches": (
        ("string.matches(string) -> bool", "matches(string, string) -> bool"),
        "a pattern is found; an error value if a computed one is not RE2",
    ),
    "bool": (
        ("bool(bool or string) -> bool",),
        'of `"true"`, `"false"`, `"1"`, `"0"`, `"t"`, `"f"`, ...; an error value for other text',
    ),
    "int": (
        ("int(int or uint or double or string or timestamp) -> int",),
        "a double towards zero, digits, seconds since 1970; an error value out of range or for other text",
    ),
    "uint": (
        ("uint(uint or int or double or string) -> uint",),
        "the same, not below 0; an error value otherwise",
    ),
    "double": (
        ("double(double or int or uint or string) -> double",),
        'the nearest; of text as in `"1.5e3"`, `"NaN"`, `"-Infinity"`; an error value for other text',
    ),
    "string": (
        (
            "string(string or bool or int or uint or double or bytes or timestamp or duration or net.IP or net.CIDR) -> string",
        ),
        "as it is written; bytes as UTF-8, an error value if they are not",
    ),
    "bytes": (("bytes(bytes or string) -> bytes",), "the text in UTF-8"),
    "timestamp": (
        ("timestamp(timestamp or string or int) -> timestamp",),
        "RFC 3339 text, seconds since 1970; an error value for other text, or outside years 1 to 9999",
    ),
    "duration": (
        ("duration(duration or string) -> duration",),
        'text such as `"1h30m"`, `"1.5s"`; an error value for other text',
    ),
    "type": (("type(A) -> type",), "its type; `type(1) == int`"),
    "dyn": (("dyn(A) -> dyn",), "the value itself, looked at when the pact runs"),
    "getFullYear": (
        ("timestamp.getFullYear() -> int", "timestamp.getFullYear(string) -> int"),
        'the year, in UTC or in a zone such as `"Europe/Berlin"` or `"-08:00"`; an error value for an unknown zone',
    ),
    "getMonth": (
        ("timestamp.getMonth() -> int", "timestamp.getMonth(string) -> int"),
        "0 to 11; an error value for an unknown zone",
    ),
    "getDate": (
        ("timestamp.getDate() -> int", "timestamp.getDate(string) -> int"),
        "day of the month, 1 to 31; an error value for an unknown zone",
    ),
    "getDayOfMonth": (
        ("timestamp.getDayOfMonth() -> int", "timestamp.getDayOfMonth(string) -> int"),
        "day of the month, 0 to 30; an error value for an unknown zone",
    ),
    "getDayOfWeek": (
        ("timestamp.getDayOfWeek() -> int", "timestamp.getDayOfWeek(string) -> int"),
        "0 to 6, Sunday is 0; an error value for an unknown zone",
    ),
    "getDayOfYear": (
        ("timestamp.getDayOfYear() -> int", "timestamp.getDayOfYear(string) -> int"),
        "0 to 365; an error value for an unknown zone",
    ),
    "getHours": (
        ("timestamp.getHours() -> int", "timestamp.getHours(string) -> int", "duration.getHours() -> int"),
        "0 to 23; of a duration all its whole hours; an error value for an unknown zone",
    ),
    "getMinutes": (
        (
            "timestamp.getMinutes() -> int",
            "timestamp.getMinutes(string) -> int",
            "duration.getMinutes() -> int",
        ),
        "0 to 59; of a duration all its whole minutes; an error value for an unknown zone",
    ),
    "getSeconds": (
        (
            "timestamp.getSeconds() -> int",
            "timestamp.getSeconds(string) -> int",
            "duration.getSeconds() -> int",
        ),
        "0 to 59; of a duration all its whole seconds; an error value for an unknown zone",
    ),
    "getMilliseconds": (
        (
            "timestamp.getMilliseconds() -> int",
            "timestamp.getMilliseconds(string) -> int",
            "duration.getMilliseconds() -> int",
        ),
        "0 to 999, within the second; an error value for an unknown zone",
    ),
    "hour": (("hour(timestamp) -> int",), "`t.getHours()`"),
    "bucket": (
        ("bucket(number, number, ...) -> int", "bucket(duration, duration, ...) -> int"),
        "how many of the bounds are not above the first argument",
    ),
    "charAt": (
        ("string.charAt(int) -> string",),
        'the character at an index, from 0; at the text\'s length `""`; an error value elsewhere',
    ),
    "indexOf": (
        ("string.indexOf(string) -> int", "string.indexOf(string, int) -> int"),
        "where the text first occurs, from an index on; -1 if it does not; an error value for an index that the text does not have",
    ),
    "lastIndexOf": (
        ("string.lastIndexOf(string) -> int", "string.lastIndexOf(string, int) -> int"),
        "where the text last occurs, at an index or before it; -1 if it does not; an error value for an index that the text does not have",
    ),
    "lowerAscii": (("string.lowerAscii() -> string",), "`A` to `Z` in lower case, all else as it is"),
    "upperAscii": (("string.upperAscii() -> string",), "`a` to `z` in upper case, all else as it is"),
    "replace": (
        ("string.replace(string, string) -> string", "string.replace(string, string, int) -> string"),
        "all occurrences replaced, or the first so many; all if the number is below 0; an error value if that is too long",
    ),
    "split": (
        ("string.split(string) -> list(string)", "string.split(string, int) -> list(string)"),
        'the parts between separators, in at most so many parts; of `""` the characters; an error value if there are too many',
    ),
    "substring": (
        ("string.substring(int) -> string", "string.substring(int, int) -> string"),
        "from an index to the end, or to before another index; an error value for an index outside the text, or a second below the first",
    ),
    "trim": (("string.trim() -> string",), "without white space at both ends"),
    "join": (
        ("list(string).join() -> string", "list(string).join(string) -> string"),
        "the texts in one, with a separator between them; an error value if an element is no string",
    ),
    "reverse": (("string.reverse() -> string",), "the characters in opposite order"),
    "strings.quote": (
        ("strings.quote(string) -> string",),
        'between double quotes, with `\\\\`, `\\"` and control characters as escapes; an error value if that is too long',
    ),
    "format": (
        ("string.format(list(dyn)) -> string",),
        "values written into a text; an error value if a value does not fit its place",
    ),
    "math.greatest": (
        (
            "math.greatest(number, number) -> number",
            "math.greatest(number) -> number",
            "math.greatest(number, dyn, dyn, ...) -> dyn",
            "math.greatest(list(number)) -> number",
            "math.greatest(list(dyn)) -> dyn",
        ),
        "the greatest; of unlike types known when it runs; an error value for an empty list, a NaN or no number",
    ),
    "math.least": (
        (
            "math.least(number, number) -> number",
            "math.least(number) -> number",
            "math.least(number, dyn, dyn, ...) -> dyn",
            "math.least(list(number)) -> number",
            "math.least(list(dyn)) -> dyn",
        ),
        "the least; of unlike types known when it runs; an error value for an empty list, a NaN or no number",
    ),
    "math.ceil": (("math.ceil(double) -> double",), "the next whole number that is not below"),
    "math.floor": (("math.floor(double) -> double",), "the next whole number that is not above"),
    "math.round": (("math.round(double) -> double",), "the nearest whole number, halves away from 0"),
    "math.trunc": (("math.trunc(double) -> double",), "the whole number without the fraction"),
    "math.abs": (("math.abs(number) -> number",), "without its sign; an error value for the least int"),
    "math.sign": (("math.sign(number) -> number",), "-1, 0 or 1, in the type of the number; of a NaN NaN"),
    "math.sqrt": (("math.sqrt(number) -> double",), "the square root; of a number below 0 NaN"),
    "math.isNaN": (("math.isNaN(double) -> bool",), "is a NaN"),
    "math.isInf": (("math.isInf(double) -> bool",), "is infinite, either way"),
    "math.isFinite": (("math.isFinite(double) -> bool",), "is neither a NaN nor infinite"),
    "math.bitAnd": (
        ("math.bitAnd(int, int) -> int", "math.bitAnd(uint, uint) -> uint"),
        "bits that are in both",
    ),
    "math.bitOr": (
        ("math.bitOr(int, int) -> int", "math.bitOr(uint, uint) -> uint"),
        "bits that are in one or both",
    ),
    "math.bitXor": (
        ("math.bitXor(int, int) -> int", "math.bitXor(uint, uint) -> uint"),
        "bits that are in one alone",
    ),
    "math.bitNot": (("math.bitNot(int) -> int", "math.bitNot(uint) -> uint"), "all 64 bits turned round"),
    "math.bitShiftLeft": (
        ("math.bitShiftLeft(int, int) -> int", "math.bitShiftLeft(uint, int) -> uint"),
        "bits moved up, zeros drawn in; 0 from 64 on; an error value for a shift below 0",
    ),
    "math.bitShiftRight": (
        ("math.bitShiftRight(int, int) -> int", "math.bitShiftRight(uint, int) -> uint"),
        "bits moved down, zeros drawn in also into a negative int; 0 from 64 on; an error value for a shift below 0",
    ),
    "base64.encode": (
        ("base64.encode(bytes) -> string",),
        "the standard alphabet, padded; an error value if that is too long",
    ),
    "base64.decode": (
        ("base64.decode(string) -> bytes",),
        "the bytes; padding may be left out; an error value for other text",
    ),
    "ip": (
        ("ip(string) -> net.IP", "ip(net.IP) -> net.IP", "net.CIDR.ip() -> net.IP"),
        "an address, of version 4 or 6; of a network its address; an error value for other text",
    ),
    "isIP": (("isIP(string) -> bool",), "the text is what `ip` takes"),
    "ip.isCanonical": (
        ("ip.isCanonical(string) -> bool",),
        "the text is the address as `string` writes it; an error value if it is no address",
    ),
    "family": (("net.IP.family() -> int",), "4 or 6"),
    "isUnspecified": (("net.IP.isUnspecified() -> bool",), "`0.0.0.0` or `::`"),
    "isLoopback": (("net.IP.isLoopback() -> bool",), "in `127.0.0.0/8`, or `::1`"),
    "isGlobalUnicast": (
        ("net.IP.isGlobalUnicast() -> bool",),
        "none of the other four, no multicast and not `255.255.255.255`; private addresses too",
    ),
    "isLinkLocalMulticast": (("net.IP.isLinkLocalMulticast() -> bool",), "in `224.0.0.0/24` or `ff02::/16`"),
    "isLinkLocalUnicast": (("net.IP.isLinkLocalUnicast() -> bool",), "in `169.254.0.0/16` or `fe80::/10`"),
    "cidr": (
        ("cidr(string) -> net.CIDR", "cidr(net.CIDR) -> net.CIDR"),
        "a network; host bits stay; an error value for other text",
    ),
    "isCIDR": (("isCIDR(string) -> bool",), "the text is what `cidr` takes"),
    "containsIP": (
        ("net.CIDR.containsIP(net.IP) -> bool", "net.CIDR.containsIP(string) -> bool"),
        "the address lies in the network; an error value for a text that is no address",
    ),
    "containsCIDR": (
        ("net.CIDR.containsCIDR(net.CIDR) -> bool", "net.CIDR.containsCIDR(string) -> bool"),
        "all of the other network lies in this one; an error value for a text that is no network",
    ),
    "masked": (("net.CIDR.masked() -> net.CIDR",), "the network with its host bits 0"),
    "prefixLength": (("net.CIDR.prefixLength() -> int",), "how many bits the network fixes"),
    "optional.of": (("optional.of(A) -> optional_type(A)",), "the optional that holds the value"),
    "optional.none": (("optional.none() -> optional_type(A)",), "the optional that holds none"),
    "optional.ofNonZeroValue": (
        ("optional.ofNonZeroValue(A) -> optional_type(A)",),
        'none for `0`, `0.0`, `false`, `""`, `b""`, `[]`, `{}`, null, 1970-01-01T00:00Z and a duration of 0; else the optional that holds the value',
    ),
    "hasValue": (("optional_type(A).hasValue() -> bool",), "it holds a value"),
    "value": (("optional_type(A).value() -> A",), "what it holds; an error value for none"),
    "or": (
        ("optional_type(A).or(optional_type(A)) -> optional_type(A)",),
        "the first, if it holds a value, else the second",
    ),
    "orValue": (("optional_type(A).orValue(A) -> A",), "what it holds, or the other value"),
    "a.?f": (
        ("map(A, B).?f -> optional_type(B)", "optional_type(map(A, B)).?f -> optional_type(B)"),
        "the optional of the field or key",
    ),
    "a[?b]": (
        (
            "map(A, B)[?A] -> optional_type(B)",
            "optional_type(map(A, B))[?A] -> optional_type(B)",
            "list(A)[?int] -> optional_type(A)",
            "optional_type(list(A))[?int] -> optional_type(A)",
        ),
        "the same for any key or index",
    ),
    "optional.unwrap": (
        ("optional.unwrap(list(optional_type(A))) -> list(A)",),
        "what the optionals hold, without those of none",
    ),
    "unwrapOpt": (("list(optional_type(A)).unwrapOpt() -> list(A)",), "the same"),
    "first": (("list(A).first() -> optional_type(A)",), "the optional of the first element"),
    "last": (("list(A).last() -> optional_type(A)",), "the optional of the last element"),
    "says": (("string.says(phrases) -> bool",), "a phrase is said"),
}

# By the path from the call.
FIELDS: dict[str, str] = {
    "id": "the call's identity; without it the line number stands for it",
    "session": "the conversation that the call belongs to",
    "agent": "who makes the call",
    "agent_version": "which version of it",
    "seq": "number of the call within its session, from 0",
    "time": "when the call began",
    "kind": "what sort of call it is; an operation that is not known is `other`",
    "provider": "who runs the model",
    "model": "the model that was asked for",
    "response_model": "the model that answered",
    "input": "text of the last message of the user",
    "output": "text of the answer, or the result of a tool",
    "messages": "the messages that the model was given",
    "tool": "the tool that was called",
    "args": "its arguments; JSON text is read as JSON",
    "ok": "whether the call succeeded; an `error.type` says no, the end of an operation yes",
    "tool_calls": "the tools that the answer asked for",
    "latency": "how long the call took",
    "first_token": "how long until the answer began",
    "usage.input_tokens": "tokens read",
    "usage.output_tokens": "tokens written",
    "usage.cached_tokens": "of the tokens read, those from a cache",
    "usage.reasoning_tokens": "of the tokens written, those of reasoning",
    "cost": "in US dollars",
    "finish": "why the answer ended; of several reasons the first",
    "error": "the type of the error that occurred",
    "upstream": "the state of what the call depends on",
    "labels": "ground truth and other people's verdicts",
    "attributes": "everything else",
    "Message.role": "`user`, `assistant`, `system`, `tool`, ...",
    "Message.content": "its text parts, one per line",
    "Message.tool_calls": "the tools that the message asks for",
    "ToolCall.id": "the identity of the tool call",
    "ToolCall.name": "the tool",
    "ToolCall.args": "its arguments",
    "ToolCall.ok": "whether it succeeded",
    "ToolCall.latency": "how long it took",
}
