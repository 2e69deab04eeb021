pact research_agent "0.1.0"
  "An agent that reads sources and writes reports: cited, from allowed places, without personal data."

owner  "research@example.com"
renews 2027-12-31

let known_tools = ["search", "open_page", "read_document", "note", "calculate"]

pattern citation  = r"\[\d+\]|https?://\S+|doi:10\.\d{4,9}/\S+"
pattern web       = r"^https://[^/\s]+"
pattern private   = r"(?i)^https?://(?:[^/@]*@)?(?:localhost|127\.|10\.|0\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|\[|[^/:@]*\.(?:internal|local)(?:[:/]|$))"
pattern e_mail    = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"
phrases certainty = ["it is proven beyond doubt", "everyone agrees", "studies show that",
                     "experts say that"]
phrases made_up   = ["i could not access the source but", "based on my training data"]

clause cites "A long answer cites what it says." {
  dimension accuracy
  when      kind == "chat" && size(output) > 400
  require   output.matches(citation)
}

clause no_empty_certainty "Never claims what no source is named for." {
  dimension accuracy
  never     output.says(certainty)
}

clause no_made_up_sources "Never answers in the place of a source that it did not read." {
  dimension self_audit
  severity  critical
  never     output.says(made_up)
}

clause known_tools_only "Uses only the tools that it was given." {
  dimension safety
  severity  critical
  when      kind == "tool"
  require   tool in known_tools
}

clause opens_the_web "Opens pages of the web only, and over TLS." {
  dimension security
  when      tool == "open_page"
  require   string(args.url).matches(web)
}

clause opens_nothing_private "Never opens an address of the inner network." {
  dimension security
  severity  critical
  when      tool == "open_page"
  never     string(args.url).matches(private)
  on violation { block "This address is not allowed."; alert "security" }
}

clause no_personal_data "No mail address stands in a report." {
  dimension security
  never     output.matches(e_mail)
  on violation { block "This report held a personal address."; alert "privacy" }
}

clause short_queries "A query is a question, not a document." {
  severity minor
  when     tool == "search"
  require  size(string(args.query)) <= 100
}

clause affordable "A call costs half a dollar at most." {
  dimension cost_efficiency
  severity  minor
  when      has(cost)
  require   cost <= 0.5
}

clause in_reasonable_time {
  dimension latency
  severity  minor
  when      has(latency)
  require   latency <= 2m
}

// `pactc test` runs these.
test "a short answer" {
  call { kind: "chat", output: "The survey has 412 answers [1].", cost: 0.5, latency: 2m }
  expect ok
  expect skipped cites, opens_the_web
}

test "a long answer without a source" {
  call {
    kind: "chat",
    cost: 0.51,
    latency: 2m1s,
    output: "The first finding is about the price of wheat in the years after the war, which rose, then fell, then rose again, as prices do. The second finding is about the price of rye in the same years, which did much the same, though later and less. The third finding is about barley. It is the longest of the three, since barley is what the archive has most of, and what its keepers liked to write about in letters to one another."
  }
  expect violation of cites, affordable, in_reasonable_time
}

test "a long answer with a source" {
  call {
    kind: "chat",
    output: "The first finding is about the price of wheat in the years after the war, which rose, then fell, then rose again, as prices do. The second finding is about the price of rye in the same years, which did much the same, though later and less. The third finding is about barley. It is the longest of the three, since barley is what the archive has most of, and what its keepers liked to write about in letters to one another [2]."
  }
  expect ok
}

test "claims" {
  call { kind: "chat", output: "Studies show that it works." }
  expect violation of no_empty_certainty
  call { kind: "chat", output: "I could not access the source, but it says yes." }
  expect ok
  call { kind: "chat", output: "Based on my training data it says yes. Ask ann@example.org." }
  expect violation of no_made_up_sources, no_personal_data
}

test "tools" {
  call { kind: "tool", tool: "shell" }
  expect violation of known_tools_only
  call { kind: "tool", tool: "open_page", args: {"url": "http://example.com/"} }
  expect violation of opens_the_web
  call { kind: "tool", tool: "open_page", args: {"url": "http://169.254.169.254/latest/"} }
  expect violation of opens_nothing_private
  call { kind: "tool", tool: "open_page", args: {"url": "https://ann@metadata.google.internal/"} }
  expect violation of opens_nothing_private
  call { kind: "tool", tool: "open_page", args: {"url": "https://example.com/report"} }
  expect ok
  expect skipped short_queries
}

test "queries" {
  call { kind: "tool", tool: "search", args: {"query": "wheat prices 1949"} }
  expect ok
  call {
    kind: "tool",
    tool: "search",
    args: {"query": "Please find everything there is about the price of wheat, rye, barley and oats in the years after the war, and before"}
  }
  expect violation of short_queries
  call { kind: "tool", tool: "search", args: {} }
  expect unknown of short_queries
}
