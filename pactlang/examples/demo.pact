pact demo "1.0.0"
  "What the support agent of `pactc demo` promises: small refunds, no card numbers, no idle boasts."

let refund_cap  = 50.0
let known_tools = ["lookup_order", "issue_refund", "change_address", "handover"]

// 13 to 19 digits count as a card number only if the check digit fits.
pattern card         = r"\b(?:\d[ -]?){13,19}\b" check luhn
pattern order_number = r"^LC-[0-9]{6}$"
phrases boasts       = ["guaranteed delivery", "unbreakable", "lifelong guarantee"]

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
  when      kind == "chat"
  never     output.matches(card)
  on violation { block "I can't share that."; alert "security" }
}

clause names_its_order "A tool that touches an order gets one well-formed number." {
  dimension accuracy
  when      tool in ["lookup_order", "issue_refund", "change_address"]
  require   args.order.matches(order_number)
}

clause asks_known_tools "Asks only for tools that it was given." {
  dimension safety
  severity  critical
  when      kind == "chat"
  require   tool_calls.all(t, t.name in known_tools)
}

clause no_boasts "Never promises what the shop cannot keep." {
  dimension scope_honesty
  when      kind == "chat"
  never     output.says(boasts)
}

clause tools_work {
  severity minor
  when     kind == "tool"
  require  ok == true
}

clause cheap_answers {
  dimension cost_efficiency
  severity  minor
  when      has(cost)
  require   cost <= 0.00205
}
