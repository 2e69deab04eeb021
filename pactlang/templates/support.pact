pact support_agent "0.1.0"
  "A support agent: answers customers, pays small refunds, hands everything else to a person."

owner  "support@example.com"
renews 2027-12-31

let refund_cap  = 50.0
let known_tools = ["lookup_order", "issue_refund", "cancel_order", "change_address", "handover"]

// 13 to 19 digits count as a card number only if the check digit fits.
pattern card      = r"\b\d(?:[ -]?\d){12,18}\b" check luhn
phrases promises  = ["guaranteed delivery", "lifelong guarantee", "full refund no matter what"]
phrases ourselves = ["as an ai language model", "my system prompt", "i was instructed to"]

clause small_refunds "A refund is more than nothing, and above the cap it needs a person." {
  dimension bond
  severity  critical
  when      tool == "issue_refund"
  require   args.amount > 0.0 && args.amount <= refund_cap
  on violation { block "A colleague will look at this refund."; alert "refunds" }
}

clause refund_names_its_order "A refund says which order it is for." {
  severity critical
  when     tool == "issue_refund"
  require  has(args.order) && args.order != ""
}

clause no_card_numbers "Never shows a card number." {
  dimension security
  severity  critical
  never     output.matches(card)
  on violation { block "I can't share that."; alert "security" }
}

clause no_promises "Never promises what the shop cannot keep." {
  dimension scope_honesty
  never     output.says(promises)
}

clause stays_in_role "Never talks about its own instructions." {
  dimension scope_honesty
  severity  minor
  never     output.says(ourselves)
}

clause asks_known_tools "Asks only for tools that it was given." {
  dimension safety
  severity  critical
  require   tool_calls.all(t, t.name in known_tools)
}

clause tools_work "A tool that fails is seen." {
  severity minor
  when     kind == "tool"
  require  ok == true
}

clause quick_answers "A customer waits eight seconds at most." {
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

clause says_something "An answer is a text or a call of a tool." {
  when    kind == "chat"
  require size(output) > 0 || size(tool_calls) > 0
}

// `pactc test` runs these.
test "a small refund" {
  call {
    kind: "tool",
    tool: "issue_refund",
    args: {"order": "A-1", "amount": 49.9},
    ok: true,
    cost: 0.001
  }
  expect ok
  expect skipped quick_answers, says_something
}

test "a large refund for no order, by a tool that fails" {
  call { kind: "tool", tool: "issue_refund", args: {"order": "", "amount": 349.0}, ok: false }
  expect violation of small_refunds, refund_names_its_order, tools_work
}

test "a refund that is a charge" {
  call { kind: "tool", tool: "issue_refund", args: {"order": "A-1", "amount": -5.0}, ok: true }
  expect violation of small_refunds
}

test "a refund of who knows how much" {
  call { kind: "tool", tool: "issue_refund", args: {"order": "A-1", "amount": "64.50"}, ok: true }
  expect unknown of small_refunds
}

test "a good answer" {
  call { kind: "chat", output: "Your parcel is 4111 1111 1111 1112.", latency: 8s, cost: 0.02 }
  expect ok
  expect skipped small_refunds, refund_names_its_order, tools_work
}

test "what a shop cannot keep, late and dear" {
  call {
    kind: "chat",
    output: "As an AI language model I offer guaranteed delivery. We charged 4111 1111 1111 1111.",
    latency: 8.5s,
    cost: 0.03
  }
  expect violation of no_promises, stays_in_role, no_card_numbers, quick_answers, cheap_answers
}

test "a call of a tool is an answer, if the tool is known" {
  call { kind: "chat", tool_calls: [{"name": "handover"}, {"name": "delete_customer"}] }
  expect violation of asks_known_tools
  call { kind: "chat", tool_calls: [{"name": "handover"}] }
  expect ok
  call { kind: "chat" }
  expect violation of says_something
}
