pact own "0.1.0" on R
record Part { name: string, size: int = 3, ok: bool?, took: duration(ms)?, extra: dyn? }
record R { i: int j: int? u: uint d: double s: string b: bool c: enum("red", "green") at: timestamp? raw: bytes?
  parts: list(Part) = [] words: list(string) = [] by: map(string, int) = {} inner: Part maybe: Part? }
clause a { require parts.filter(p, p.ok).map(p, p.size).all(n, n > 0) || i / j == 2 }
clause b { require has(maybe.name) ? maybe.name.startsWith("x") : at > timestamp("2020-01-01T00:00:00Z") }
clause c { require by["a"] in [1, 2, 3] && c == "red" && raw == b"\xff" && d < 1.5e3 && u >= 3u }
