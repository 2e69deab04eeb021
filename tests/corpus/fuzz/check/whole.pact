pact whole "1.2.3" "Uses much of the language."
extend Call { tier: enum("free", "pro") = "free" waits: list(duration(ms)) = [] extra: map(string, int) = {} }
let cap = 50.0
let names = ["a", "b"]
pattern card = r"\b\d{4}[ -]?\d{4}\b" check luhn
phrases spin = ["guaranteed returns", "risk free"]
applies when agent != "test"
clause cards "No cards." { never output.matches(card) }
clause words { dimension safety never output.says(spin) || output.contains("wire") }
clause small { severity critical when tool == "refund" require args.amount <= cap && args.to in names
  on violation { block "no"; alert "x" } }
clause tools { require tool_calls.all(t, t.name in ["search"] && (t.latency == null || t.latency < 2s)) }
clause sums { require usage.input_tokens + usage.output_tokens * 2 < 8000 }
