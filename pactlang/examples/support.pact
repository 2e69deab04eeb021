pact support "1.0.0"
  "Larkspur Cycles' support agent: small refunds, no card numbers, no promises it cannot keep."

owner  "support@larkspur-cycles.example"
renews 2027-09-01

let refund_cap  = 50.0
let known_tools = ["lookup_order", "issue_refund", "cancel_order", "change_address", "handover"]

// 13 to 19 digits count as a card number only if the check digit fits.
pattern card   = r"\b\d(?:[ -]?\d){12,18}\b" check luhn
phrases boasts = ["guaranteed delivery", "unbreakable", "lifelong guarantee"]

clause small_refunds "A refund above 50 EUR needs a human." {
  dimension bond
  severity  critical
  when      tool == "issue_refund"
  require   args.amount <= refund_cap
  on violation { block "A colleague will look at this refund."; alert "refunds" }
}

clause no_card_numbers "Never shows a card number." {
  dimension security
  severity  critical
  never     output.matches(card)
  on violation { block "I can't share that."; alert "security" }
}

clause no_boasts "Never promises what the shop cannot keep." {
  dimension scope_honesty
  never     output.says(boasts)
}

clause asks_known_tools "Asks only for tools that it was given." {
  dimension safety
  severity  critical
  require   tool_calls.all(t, t.name in known_tools)
}

clause tools_work {
  severity minor
  when     kind == "tool"
  require  ok == true
}

clause quick_answers {
  dimension latency
  severity  minor
  when      kind == "chat" && has(latency)
  require   latency <= 8s
}

clause cheap_answers {
  dimension cost_efficiency
  severity  minor
  when      has(cost)
  require   cost <= 0.02
}

clause says_something "An answer is a text or a tool call." {
  when    kind == "chat"
  require size(output) > 0 || size(tool_calls) > 0
}

// `pactc test` runs these.
test "a small refund" {
  call { kind: "tool", tool: "issue_refund", args: {"amount": 49.9}, ok: true, cost: 0.001 }
  expect ok
  expect skipped quick_answers, says_something
}

test "a large refund by a tool that fails" {
  call { kind: "tool", tool: "issue_refund", args: {"amount": 349.0}, ok: false }
  expect violation of small_refunds, tools_work
}

test "a refund of who knows how much" {
  call { kind: "tool", tool: "issue_refund", args: {"amount": "64.50"}, ok: true }
  expect unknown of small_refunds
}

test "a good answer" {
  call { kind: "chat", output: "Your parcel is 4111 1111 1111 1112.", latency: 8s, cost: 0.02 }
  expect ok
  expect skipped small_refunds, tools_work
}

test "what the shop cannot keep, late and dear" {
  call {
    kind: "chat",
    output: "It is unbreakable. We charged 4111 1111 1111 1111.",
    latency: 8.5s,
    cost: 0.03
  }
  expect violation of no_boasts, no_card_numbers, quick_answers, cheap_answers
}

test "a call of a tool is an answer, if the tool is known" {
  call { kind: "chat", tool_calls: [{"name": "handover"}, {"name": "delete_customer"}] }
  expect violation of asks_known_tools
  call { kind: "chat", tool_calls: [{"name": "handover"}] }
  expect ok
  expect skipped quick_answers, cheap_answers
  call { kind: "chat" }
  expect violation of says_something
}
