"""What every function of CEL's extension libraries gives, and where it errs: the tables of test_extensions.

The facts are those of cel-spec's conformance suite and of cel-go, which answers where the suite is silent.
"""

from __future__ import annotations

import math
from typing import Any

from pactlang.extensions import COMPUTE
from pactlang.values import (
    CIDR,
    IP,
    MAX_INT,
    MAX_NESTING,
    MAX_UINT,
    MIN_INT,
    NONE,
    BoolKey,
    CelType,
    Duration,
    Limit,
    OutOfRange,
    Timestamp,
    UInt,
    some,
)

NAN, INF = math.nan, math.inf
U = UInt
Cases = dict[str, list[tuple[Any, ...]]]


def ip(text: str) -> IP:
    found = COMPUTE["ip_from_string"](text)
    assert isinstance(found, IP)
    return found


def cidr(text: str) -> CIDR:
    found = COMPUTE["cidr_from_string"](text)
    assert isinstance(found, CIDR)
    return found


# id of the overload -> (argument, ..., what it gives); compared by repr, which tells 1, 1u, 1.0 and -0.0 apart
TEXTS: Cases = {
    "char_at": [("tacocat", 3, "o"), ("tacocat", 7, ""), ("©αT", 1, "α"), ("", 0, ""), ("😀b", 1, "b")],
    "index_of": [("tacocat", "ac", 1), ("tacocat", "", 0), ("ta©o©αT", "©", 2), ("ijk", "x", -1), ("", "a", -1)],
    "index_of_from": [
        ("tacocat", "a", 3, 5), ("tacocat", "", 3, 3), ("ta©o©αT", "©α", 5, -1), ("hello wello", "ello", 6, 7),
        ("tacocat", "t", 6, 6), ("tacocat", "", 99, 99), ("abc", "c", 3, -1),
    ],
    "last_index_of": [
        ("tacocat", "at", 5), ("tacocat", "", 7), ("", "@@", -1), ("", "", 0), ("ta©o©αT", "©", 4), ("ab", "abc", -1),
        ("hello wello", "hello wello", 0),
    ],
    "last_index_of_from": [
        ("tacocat", "a", 3, 1), ("tacocat", "", 3, 3), ("bananananana", "nana", 7, 6), ("hello wello", "ello", 6, 1),
        ("ta©o©αT", "©α", 4, 4), ("aaaa", "aa", 0, 0), ("abc", "bcd", 2, -1), ("abc", "c", 3, -1),
    ],
    "lower_ascii": [("TacoCÆt Xii", "tacocÆt xii"), ("ABCXYZ[", "abcxyz["), ("İK", "İk")],
    "upper_ascii": [("tacoCαt xii", "TACOCαT XII"), ("straße", "STRAßE"), ("az{", "AZ{")],
    "trim": [
        (" \f\n\r\t\vtext  ", "text"), ("\x85\xa0\u1680text\u200a\u2028\u2029\u202f\u205f\u3000", "text"),
        ("\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009", ""),
        *((f"{c}x{c}", f"{c}x{c}") for c in "\u180e\u200b\u200c\u200d\u2060\ufeff\x1c\x1d\x1e\x1f\0"),
    ],
    "reverse": [("gums", "smug"), ("", ""), ("☺é", "é☺")],
    "replace": [
        ("{0} days {0} hours", "{0}", "2", "2 days 2 hours"), ("1 ©αT taco", "αT", "o©α", "1 ©o©α taco"),
        ("ab", "", "-", "-a-b-"), ("", "", "x", "x"), ("aaa", "aa", "b", "ba"), ("abc", "b", "", "ac"),
    ],
    "replace_count": [
        ("hello hello", "he", "we", 1, "wello hello"), ("hello hello", "he", "we", 0, "hello hello"),
        ("hello hello", "he", "we", -1, "wello wello"), ("hello hello", "he", "we", MAX_INT, "wello wello"),
        ("ab", "", "-", 2, "-a-b"), ("ab", "", "-", -7, "-a-b-"), ("hello", "he", "we", MIN_INT, "wello"),
    ],
    "split": [("hello world", " ", ["hello", "world"]), ("", ",", [""]), ("", "", []), ("aé☺", "", ["a", "é", "☺"])],
    "split_count": [
        ("a b c", " ", 0, []), ("a b c", " ", 1, ["a b c"]), ("a b c", " ", 2, ["a", "b c"]),
        ("o©o©o", "©", -1, ["o", "o", "o"]), ("a b", " ", MAX_INT, ["a", "b"]), ("abc", "", 2, ["a", "bc"]),
        ("abc", "", 9, ["a", "b", "c"]), ("", "", 3, []), ("", ",", 0, []), ("abc", "", 1, ["abc"]),
    ],
    "substring_from": [("tacocat", 4, "cat"), ("tacocat", 7, ""), ("tacocat", 0, "tacocat"), ("", 0, "")],
    "substring": [("tacocat", 0, 4, "taco"), ("ta©o©αT", 2, 6, "©o©α"), ("tacocat", 4, 4, ""), ("tacocat", 7, 7, "")],
    "join": [(["x", "y"], "xy"), ([], ""), (["a"], "a")],
    "join_separator": [(["x", "y"], "-", "x-y"), ([], "-", ""), (["a"], "-", "a"), (["", ""], "::", "::")],
    "quote": [
        ("", '""'), ("first\nsecond", r'"first\nsecond"'), ("\a\b\f\r\t\v", r'"\a\b\f\r\t\v"'), ("\\", r'"\\"'),
        ("double \\\\ slash", r'"double \\\\ slash"'), ("size('ÿ😀')", "\"size('ÿ😀')\""), ('a"b', r'"a\"b"'),
        ("\ud83d", '"\ufffd"'), ("a\ud800\udfffb", '"a\ufffd\ufffdb"'), ("\0\x7f", '"\0\x7f"'),
    ],
}  # fmt: skip

T = Timestamp(1675467080)
FORMATS: list[tuple[str, list[Any], str]] = [
    ("no substitution", [], "no substitution"),
    ("%% and also %%", [], "% and also %"),
    ("%%%s%%", ["text"], "%text%"),
    ("%%d%s", ["x"], "%dx"),
    ("%d %d, %s %s", [1, 2, "A", "B", "left over"], "1 2, A B"),
    ("%s", [None], "null"),
    ("%s %s", [True, False], "true false"),
    ("%s %s %s", [999999999999, U(7), MIN_INT], "999999999999 7 -9223372036854775808"),
    ("%s", [3.14], "3.14"),
    ("%s", [1e30], "1000000000000000000000000000000"),
    ("%s %s", [2e-9, -0.0], "0.000000002 -0"),
    ("%s %s", [3.0, 56.8], "3 56.8"),
    ("%s %s %s", [NAN, INF, -INF], "NaN Infinity -Infinity"),
    ("%s", [b"xyz"], "xyz"),
    ("%s", [b"\xff\xfea\x80\xc3(\xe2\x82\xac\xef\xbf\xbd"], "\ufffda\ufffd(€\ufffd"),
    ("%s", [CelType("string")], "string"),
    ("%s", [CelType("google.protobuf.Timestamp")], "google.protobuf.Timestamp"),
    ("%s %s", [T, Timestamp(0, 120)], "2023-02-03T23:31:20Z 1970-01-01T00:00:00.00000012Z"),
    ("%s %s %s", [Duration(6347), Duration(0, 2), Duration(-2, 500_000_000)], "6347s 0.000000002s -1.5s"),
    ("%s %s", [Duration(0), Duration(-1, 999_999_999)], "0s -0.000000001s"),
    ("%s", [Duration(315_575_999_999, 123_456_789)], "315575999999.1235s"),
    ("%s", [["abc", 3.14, None, [9, 8, [], {}], T]], "[abc, 3.14, null, [9, 8, [], {}], 2023-02-03T23:31:20Z]"),
    ("%s", [{"key1": b"xyz", "key5": None, "key2": Duration(7200)}], "{key1: xyz, key2: 7200s, key5: null}"),
    ("%s", [{1: "value1", 2: "value2", BoolKey(True): NAN}], "{1: value1, 2: value2, true: NaN}"),
    ("%s", [{"strKey": "x", 6: Duration(422), BoolKey(True): [42]}], "{6: 422s, strKey: x, true: [42]}"),
    ("%s", [{10: 1, 9: 2, "": 3, "é": 4, "z": 5}], "{: 3, 10: 1, 9: 2, z: 5, é: 4}"),
    ("%.3s", ["precision is for %f and %e"], "precision is for %f and %e"),
    ("%d %d %d %d", [5, U(64), 3.14, -0.0], "5 64 3.14 -0"),
    ("%d %d %d", [NAN, INF, -INF], "NaN Infinity -Infinity"),
    ("%.3f %.3f %.3f", [1.2345, 123.4999, -123.4999], "1.234 123.500 -123.500"),
    ("%f %f %f", [2.71828, 2, U(3)], "2.718280 2.000000 3.000000"),
    ("%.0f %.0f %.0f %.0f", [2.5, 3.5, 3.5001, -0.5], "2 4 4 -0"),
    ("%.1f %.2f", [0.25, 1.005], "0.2 1.00"),
    ("%.5f", [-1.2], "-1.20000"),
    ("%f %f %f", [NAN, INF, -INF], "NaN Infinity -Infinity"),
    ("%.00002f", [1.239], "1.24"),
    ("%e %.6e %.0e", [2.71828, 1052.032911275, 25.0], "2.718280e+00 1.052033e+03 2e+01"),
    ("%.4e %.5e %e", [U(1052), 1052, 1e-300], "1.0520e+03 1.05200e+03 1.000000e-300"),
    ("%e %e %e", [NAN, INF, -INF], "NaN Infinity -Infinity"),
    ("%b %b %b %b %b", [5, U(64), True, False, -5], "101 1000000 1 0 -101"),
    ("%o %o %o", [11, U(65535), -11], "13 177777 -13"),
    ("%x %X %x %X", [30, 30, -30, U(6000)], "1e 1E -1e 1770"),
    ("%x %X", ["Hello world!", "ÿ"], "48656c6c6f20776f726c6421 C3BF"),
    ("%x %X", [b"\0byte\xff", b"\xab"], "0062797465ff AB"),
]  # fmt: skip

MATHS: Cases = {
    "greatest_int_int": [(1, 5, 5), (MAX_INT, 1, MAX_INT), (-7, -9, -7)],
    "greatest_uint_uint": [(U(1), U(MAX_UINT), U(MAX_UINT))], "greatest_double_double": [(-INF, 1.5, 1.5), (0.0, -0.0, 0.0)],
    "greatest_int": [(-5, -5)], "greatest_uint": [(U(5), U(5))], "greatest_double": [(-5.5, -5.5), (NAN, NAN)],
    "greatest_int_double": [(1, 1.0, 1), (MAX_INT, 2.0**63, MAX_INT)], "greatest_int_uint": [(-3, U(3), U(3))],
    "greatest_uint_int": [(U(5), -7, U(5))], "greatest_uint_double": [(U(1), 1.0, U(1))],
    "greatest_double_int": [(1.0, 1, 1.0), (9007199254740992.0, 2**53 + 1, 2**53 + 1)],
    "greatest_double_uint": [(1.5, U(2), U(2))],
    "greatest_many_int": [(-1, -2, -3, -1), (1, 1.0, U(1), 1), (1, 3, 10, 5, 10)],
    "greatest_many_uint": [(U(1), 42, 0.5, 42)], "greatest_many_double": [(5.4, 10, U(3), -5.0, 1.797693e308, 1.797693e308)],
    "greatest_list_int": [([1, 3, 2], 3)], "greatest_list_uint": [([U(1)], U(1))],
    "greatest_list_double": [([-INF, -1.5], -1.5), ([NAN], NAN)], "greatest_list_dyn": [([5.4, 10, U(3), -5.0], 10)],
    "least_int": [(5, 5)], "least_uint": [(U(5), U(5))], "least_double": [(-5.5, -5.5)],
    "least_int_int": [(MIN_INT, 1, MIN_INT), (5, -7, -7)], "least_uint_uint": [(U(MAX_UINT), U(1), U(1))],
    "least_double_double": [(1.5, -INF, -INF)], "least_int_double": [(1, 1.0, 1)], "least_int_uint": [(1, U(0), U(0))],
    "least_uint_int": [(U(1), -2, -2)], "least_uint_double": [(U(2), 2.5, U(2))], "least_double_int": [(1.5, -2, -2)],
    "least_double_uint": [(2.5, U(1), U(1))], "least_many_int": [(1, 3, 0, 0)],
    "least_many_uint": [(U(1), 42, 0.0, 0.0)], "least_many_double": [(5.4, 10, U(3), U(1), 9.0, U(1))],
    "least_list_int": [([1, 0, -1], -1)], "least_list_uint": [([U(3), U(2)], U(2))],
    "least_list_double": [([1.5, 0.5], 0.5)], "least_list_dyn": [([5.4, U(1), 3, 1], U(1))],
    "ceil": [(1.2, 2.0), (-1.2, -1.0), (-0.5, -0.0), (INF, INF), (NAN, NAN), (1e300, 1e300)],
    "floor": [(1.2, 1.0), (-1.2, -2.0), (0.5, 0.0), (-0.0, -0.0), (-INF, -INF), (NAN, NAN)],
    "round": [(1.2, 1.0), (1.5, 2.0), (2.5, 3.0), (-1.5, -2.0), (-1.4, -1.0), (0.49999999999999994, 0.0), (NAN, NAN),
              (-0.4, -0.0), (INF, INF), (4503599627370497.0, 4503599627370497.0), (0.5, 1.0), (-0.5, -1.0)],
    "trunc": [(-1.2, -1.0), (1.3, 1.0), (-0.9, -0.0), (NAN, NAN), (-INF, -INF)],
    "abs_int": [(-11, 11), (0, 0), (-MAX_INT, MAX_INT)], "abs_uint": [(U(1), U(1))],
    "abs_double": [(-11.5, 11.5), (-0.0, 0.0), (-INF, INF), (NAN, NAN)],
    "sign_int": [(100, 1), (-11, -1), (0, 0)], "sign_uint": [(U(100), U(1)), (U(0), U(0))],
    "sign_double": [(100.5, 1.0), (-32.0, -1.0), (-0.0, 0.0), (NAN, NAN), (-INF, -1.0)],
    "sqrt_int": [(81, 9.0), (-1, NAN), (0, 0.0)], "sqrt_uint": [(U(985), 31.38470965295043)],
    "sqrt_double": [(2.25, 1.5), (-15.34, NAN), (INF, INF), (NAN, NAN), (-0.0, -0.0)],
    "isNaN": [(NAN, True), (INF, False)], "isInf": [(-INF, True), (NAN, False), (1.0, False)],
    "isFinite": [(0.5, True), (NAN, False), (-INF, False)],
    "bitAnd_int": [(1, 2, 0), (1, -1, 1), (MIN_INT, -1, MIN_INT)], "bitAnd_uint": [(U(1), U(3), U(1))],
    "bitOr_int": [(1, 2, 3), (4, -2, -2)], "bitOr_uint": [(U(1), U(4), U(5))],
    "bitXor_int": [(1, 3, 2), (4, -2, -6)], "bitXor_uint": [(U(1), U(3), U(2))],
    "bitNot_int": [(1, -2), (-1, 0), (MIN_INT, MAX_INT)], "bitNot_uint": [(U(1), U(MAX_UINT - 1)), (U(0), U(MAX_UINT))],
    "bitShiftLeft_int": [(1, 2, 4), (1, 200, 0), (-1, 200, 0), (1, 63, MIN_INT), (-1, 0, -1), (1, MAX_INT, 0), (3, 63, MIN_INT)],
    "bitShiftLeft_uint": [(U(1), 2, U(4)), (U(1), 200, U(0)), (U(3), 63, U(2**63))],
    "bitShiftRight_int": [(1024, 2, 256), (1024, 64, 0), (-1024, 3, 2305843009213693824), (-1024, 64, 0), (-1, 0, -1)],
    "bitShiftRight_uint": [(U(1024), 2, U(256)), (U(1024), 200, U(0))],
}  # fmt: skip

ENCODERS: Cases = {
    "base64_encode": [(b"hello", "aGVsbG8="), (b"", ""), (b"\xff\xfe", "//4="), (b"x" * 60, "eHh4" * 20)],
    "base64_decode": [
        ("aGVsbG8=", b"hello"), ("aGVsbG8", b"hello"), ("", b""), ("//4=", b"\xff\xfe"), ("aGVs\r\nbG8=\n", b"hello"),
        ("aGVsbG9", b"hello"), ("QQ=\n=", b"A"), ("QQ", b"A"),
    ],
}  # fmt: skip

A1, NET = "2001:db8::1", "10.1.2.3/8"
NETWORK: Cases = {
    "ip_from_string": [
        ("192.168.0.1", IP(4, 0xC0A80001)), ("::ffff:c0a8:1", IP(4, 0xC0A80001)), ("::", IP(6, 0)), ("::1.2.3.4", IP(6, 0x01020304)),
        ("2001:DB8::1", IP(6, 0x20010DB8 << 96 | 1)), ("1:2:3:4:5:6:7::", IP(6, 0x00010002000300040005000600070000)),
        ("0:0:0:0:0:fffe:1:2", IP(6, 0xFFFE_0001_0002)), ("64:ff9b::1.2.3.4", IP(6, 0x64FF9B << 96 | 0x01020304)),
    ],
    "ip_from_ip": [(IP(4, 7), IP(4, 7))],
    "is_ip": [
        *((text, True) for text in ("0.0.0.0", "255.255.255.255", "::1", "fe80::1", A1, "1:2:3:4:5:6:7:8")),
        *((text, False) for text in (
            "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.4/8",
            "1.2.3.-4", "+1.2.3.4", "0x1.2.3.4", "1.2.3.٤", "127.0.0.1:80", "not.an.ip", "1", "4294967295", "fe80::1%en0",
            "fe80::1%", "::ffff:192.168.0.1", "0:0:0:0:0:FFFF:1.2.3.4", ":::1", "2001:db8:::68", "1::2::3", "12345::", "::g",
            ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:", "::1.2.3",
            "::1.2.3.4:5", "::01.2.3.4", "[::1]", "::1/64", ":" * 100_000, "1" * 100_000,
        )),
    ],
    "is_canonical": [
        ("127.0.0.1", True), ("2001:db8::68", True), ("2001:DB8::68", False), ("2001:db8:0:0:0:0:0:1", False),
        ("::ffff:c0a8:1", False), ("2001:db8::0:1:1", False), ("2001:db8:0:1:1:1:1:1", True), ("1:0:0:2::3", True), ("1::2:0:0:0:3", False),
        ("1::2:0:0:3:4", True), ("::", True), ("::1.2.3.4", False),
    ],
    "ip_of_cidr": [(cidr(NET), ip("10.1.2.3"))],
    "family": [(ip("127.0.0.1"), 4), (ip("::1"), 6), (ip("::ffff:7f00:1"), 4)],
    "isUnspecified": [(ip("0.0.0.0"), True), (ip("::"), True), (ip("127.0.0.1"), False), (ip("::1"), False)],
    "isLoopback": [(ip("127.9.9.9"), True), (ip("::1"), True), (ip("1.2.3.4"), False), (ip("::2"), False), (ip("128.0.0.1"), False)],
    "isGlobalUnicast": [
        *((ip(text), True) for text in ("192.168.0.1", "8.8.8.8", "2001:db8::abcd", "fd00::1", "240.0.0.1", "::2")),
        *((ip(text), False) for text in ("255.255.255.255", "0.0.0.0", "127.0.0.1", "224.0.0.1", "169.254.1.1", "ff00::1", "::", "::1", "fe80::1")),
    ],
    "isLinkLocalMulticast": [
        (ip("224.0.0.1"), True), (ip("224.0.1.1"), False), (ip("ff02::1"), True), (ip("ff12::1"), True),
        (ip("ff05::1"), False), (ip("fd00::1"), False),
    ],
    "isLinkLocalUnicast": [
        (ip("169.254.169.254"), True), (ip("192.168.0.1"), False), (ip("fe80::1"), True), (ip("febf::1"), True),
        (ip("fec0::1"), False), (ip("fd80::1"), False),
    ],
    "cidr_from_string": [
        ("192.168.0.0/24", CIDR(IP(4, 0xC0A80000), 24)), (NET, CIDR(IP(4, 0x0A010203), 8)), ("::1/128", CIDR(IP(6, 1), 128)),
        ("1.2.3.4/0", CIDR(IP(4, 0x01020304), 0)),
    ],
    "cidr_from_cidr": [(cidr(NET), cidr(NET))],
    "is_cidr": [
        ("10.0.0.0/8", True), ("::/0", True), ("10.0.0.0/32", True),
        *((text, False) for text in (
            "10.0.0.0", "10.0.0.0/", "/8", "8", "", "10.0.0.0/33", "::1/129", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8/8",
            "10.0.0.0/ 8", "10.0.0.0/255.0.0.0", "10.0.0.0/999", "10.0.0.0/٨", "fe80::1%en0/24", "::ffff:192.168.0.1/24",
            "::ffff:c0a8:1/120", "10.0/8", "1.2.3.4/" + "1" * 100_000,
        )),
    ],
    "contains_ip": [
        (cidr("192.168.0.0/24"), ip("192.168.0.1"), True), (cidr("192.168.0.0/24"), ip("192.168.1.1"), False),
        (cidr("10.1.2.3/8"), ip("10.255.255.255"), True), (cidr("::/0"), ip("0.0.0.0"), False),
        (cidr("0.0.0.0/0"), ip("2001:db8::1"), False), (cidr("0.0.0.0/0"), ip("::ffff:1:1"), True), (cidr("2001:db8::/32"), ip(A1), True),
    ],
    "contains_ip_string": [(cidr("192.168.0.0/24"), "192.168.0.1", True), (cidr("192.168.0.0/24"), "192.168.1.1", False)],
    "contains_cidr": [
        (cidr("192.168.0.0/24"), cidr("192.168.0.0/25"), True), (cidr("192.168.0.0/24"), cidr("192.168.0.0/23"), False),
        (cidr("10.0.0.0/8"), cidr("10.0.0.0/8"), True), (cidr("10.0.0.0/8"), cidr("11.0.0.0/8"), False),
        (cidr("10.0.0.0/8"), cidr("::1/128"), False), (cidr("2001:db8::/32"), cidr("2001:db8::/33"), True),
        (cidr("10.9.9.9/8"), cidr("10.1.1.1/16"), True),
    ],
    "contains_cidr_string": [(cidr("10.0.0.0/8"), "10.0.0.0/8", True), (cidr("10.0.0.0/8"), "0.0.0.0/4", False)],
    "masked": [(cidr("192.168.1.5/24"), cidr("192.168.1.0/24")), (cidr("1.2.3.4/0"), cidr("0.0.0.0/0")), (cidr("::1/128"), cidr("::1/128"))],
    "prefix_length": [(cidr("192.168.0.0/24"), 24), (cidr("::1/128"), 128)],
    "string_from_ip": [
        (ip("192.168.0.1"), "192.168.0.1"), (ip("2001:DB8:0:0:0:0:0:68"), "2001:db8::68"), (ip("::ffff:c0a8:1"), "192.168.0.1"),
        (ip("1:0:0:2:0:0:0:3"), "1:0:0:2::3"), (ip("1:0:2:3:4:5:6:7"), "1:0:2:3:4:5:6:7"), (ip("::1.2.3.4"), "::102:304"),
    ],
    "string_from_cidr": [(cidr(NET), NET), (cidr("2001:DB8::/32"), "2001:db8::/32")],
}  # fmt: skip

M = {1: "one", "a": [7], BoolKey(True): None}
UNWRAPPED: list[tuple[Any, ...]] = [
    ([some(1), NONE, some(None)], [1, None]), ([], []), ([some(some(1))], [some(1)]),
]  # fmt: skip
BY_KEY: list[tuple[Any, ...]] = [
    (M, "a", some([7])), (M, "b", NONE), (M, 1, some("one")), (M, True, some(None)), (M, False, NONE), ({}, "x", NONE),
    (M, 1.0, some("one")), (M, U(1), some("one")), (M, 1.5, NONE), (M, [], NONE), ({0: 1}, False, NONE), (M, NAN, NONE),
]  # fmt: skip
BY_KEY_INSIDE: list[tuple[Any, ...]] = [
    (some(M), "a", some([7])), (some(M), "b", NONE), (NONE, "a", NONE), (some(M), True, some(None)), (some({}), 1, NONE),
]  # fmt: skip
BY_INDEX_INSIDE: list[tuple[Any, ...]] = [
    (some(["x"]), 0, some("x")), (some(["x"]), 5, NONE), (NONE, 0, NONE), (some([]), 0, NONE), (some({0: 1}), 0, some(1)),
    (some(["x"]), 0.0, some("x")), (some(["x"]), U(0), some("x")),
]  # fmt: skip
OPTIONALS: Cases = {
    "optional_of": [(None, some(None)), (NONE, some(NONE))],
    "optional_none": [(NONE,)],
    "optional_of_non_zero": [
        *((zero, NONE) for zero in (None, False, 0, U(0), 0.0, -0.0, "", b"", [], {}, Duration(0), Timestamp(0), NONE)),
        *((value, some(value)) for value in (
            True, -1, U(1), NAN, " ", b"\0", [0], {"": 0}, Duration(0, 1), Timestamp(0, 1), some(0), CelType("int"), IP(4, 0),
        )),
    ],
    "optional_has_value": [(NONE, False), (some(None), True), (some(False), True)],
    "optional_value": [(some(42), 42), (some(None), None)],
    "optional_or": [(NONE, some(2), some(2)), (some(1), some(2), some(1)), (some(None), some(2), some(None)), (NONE, NONE, NONE)],
    "optional_or_value": [(NONE, 42, 42), (some(0), 42, 0), (some(None), 42, None)],
    "optional_unwrap": UNWRAPPED, "optional_unwrap_method": UNWRAPPED,
    "first": [([1, 2], some(1)), ([], NONE), ([None], some(None))],
    "last": [([1, 2], some(2)), ([], NONE), ([NONE], some(NONE))],
    "select_map": BY_KEY, "at_map": BY_KEY,
    "select_optional_map": BY_KEY_INSIDE, "at_optional_map": BY_KEY_INSIDE, "index_optional_map": BY_KEY_INSIDE,
    "at_list": [(["x"], 0, some("x")), (["x"], 1, NONE), ([], 0, NONE), (["x"], -1, NONE), ([None], 0, some(None)), (["x"], MAX_INT, NONE)],
    "at_optional_list": BY_INDEX_INSIDE, "index_optional_list": BY_INDEX_INSIDE,
}  # fmt: skip

CASES: Cases = {**TEXTS, **MATHS, **ENCODERS, **NETWORK, **OPTIONALS, "format": [*FORMATS]}


# Errors --------------------------------------------------------------------------------------


def nested(depth: int) -> list[Any]:
    """[[...[]...]], `depth` lists."""
    found: list[Any] = []
    for _ in range(depth - 1):
        found = [found]
    return found


CASES["format"].append(("%s", [nested(MAX_NESTING)], "[" * MAX_NESTING + "]" * MAX_NESTING))

# (id, argument, ..., the exception)
ERRORS: list[tuple[Any, ...]] = [
    *(("char_at", "tacocat", index, OutOfRange) for index in (-1, 8, 30, MAX_INT)),
    *((name, "tacocat", "a", index, OutOfRange) for name in ("index_of_from", "last_index_of_from") for index in (-1, 8, 30)),
    *(("substring_from", "tacocat", index, OutOfRange) for index in (-1, 8, 40)),
    *(("substring", "tacocat", *ends, OutOfRange) for ends in ((1, 50), (49, 50), (4, 3), (-1, 3), (0, -1))),
    *((name, texts, *more, ValueError) for name, *more in (("join",), ("join_separator", "-")) for texts in ([1], ["a", None], [b"a"])),
    *(("format", text, [0, 1], ValueError) for text in (
        "%a", "%E", "%F", "%S", "%", "%d%", "%.3", "%.", "%.f", "%.d", "%5d", "%-s", "% d", "%d %d %d", "%.-1f", "%.٣f", "%\n", "%☺",
    )),
    *(("format", f"%{letter}", [value], ValueError) for letter, values in {
        "d": (None, "1", True, Duration(1), [1], b"1"), "f": (None, "NaN", True, b"1"), "e": (None, "Infinity", True, [1.0]),
        "b": (None, "abc", 1.0, b"1"), "o": (None, "a string", 1.0, True), "x": (None, 0.5, True, [1], Duration(1)), "X": (None, 0.5, True),
        "s": (NONE, some(1), IP(4, 0), [some(1)], {"a": cidr("::/0")}, object(), nested(MAX_NESTING + 1), nested(50_000), {"a": nested(200)}),
    }.items() for value in values),
    *(("format", text, [1.0], Limit) for text in ("%.101f", "%.1000000000f", "%.1000000000s", f"%.{'9' * 10_000}e")),
    *(("format", f"%{letter}", [value], OutOfRange) for letter in "sdbox" for value in (2**64, -(2**63) - 1, 10**5000)),
    ("format", "%s", [U(2**64)], OutOfRange), ("format", "%f", [10**400], OverflowError),
    ("format", "%x", ["\ud800"], ValueError),
    *((f"{word}_list_dyn", numbers, ValueError) for word in ("greatest", "least")
      for numbers in ([], ["hello"], [1, True, 2], [[1]], [None], [NAN, 1], [1, NAN], [2**64])),
    *((f"{word}_double_double", *numbers, ValueError) for word in ("greatest", "least") for numbers in ((NAN, 1.0), (1.0, NAN))),
    ("greatest_many_int", 1, 2, "3", ValueError), ("least_many_double", 1.0, None, 2, ValueError),
    ("abs_int", MIN_INT, OutOfRange),
    *((f"bitShift{way}_{kind}", number, by, OutOfRange) for way in ("Left", "Right")
      for kind, number in (("int", -1), ("uint", U(1))) for by in (-1, MIN_INT)),
    *(("base64_decode", text, ValueError) for text in (
        "a", "aGVsbG8==", "aGVsbG8===", "=", "====", "a=Vs", "aGVsb G8=", "aGVs-_", "é", "QQ=", "QUI==", "QUJD=", "QQ==QQ==",
    )),
    *((name, text, ValueError) for name in ("ip_from_string", "is_canonical") for text in (
        "192.168.0.1.0", "2001:db8:::68", "fe80::1%en0", "::ffff:192.168.0.1", "", "1" * 100_000,
    )),
    *(("cidr_from_string", text, ValueError) for text in ("192.168.0.0/", "fe80::1%en0/24", "::ffff:192.168.0.1/24", "1.2.3.4")),
    ("contains_ip_string", cidr("10.0.0.0/8"), "not-an-ip", ValueError), ("contains_ip_string", cidr("10.0.0.0/8"), "10.0.0.0/8", ValueError),
    ("contains_cidr_string", cidr("10.0.0.0/8"), "10.0.0.1", ValueError),
    ("optional_value", NONE, ValueError), ("optional_unwrap", [some(1), 2], ValueError),
    *((name, some(5), key, ValueError) for name in ("select_optional_map", "at_optional_map", "index_optional_map") for key in ("a", 0)),
    *(("index_optional_list", some(["x"]), index, ValueError) for index in (0.5, "0", True, NAN, INF, None)),
    ("select_map", ["x"], 0, ValueError),
]  # fmt: skip
