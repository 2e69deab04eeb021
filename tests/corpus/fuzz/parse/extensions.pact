pact ext "1.0.0"
let parts = output.split(" ")
clause a { require cel.bind(n, size(parts), n > 0 ? math.greatest(n, 2) == n : "%s %.2f".format([n, 1.5]) != "") }
clause b { require parts.transformList(i, p, p + string(i)).join("-").size() < 100 && args.?to.orValue("x") != "" }
clause c { require ip("10.0.0.1") in [ip("::1")] || cidr("10.0.0.0/8").containsIP("10.0.0.1") && {"a": 1}[?"b"].hasValue() == false }
clause d { require [?args.?x, 1].transformMapEntry(i, v, {i: v}).size() >= 1 && optional.of(1).optMap(v, v + 1) == optional.of(2) }
