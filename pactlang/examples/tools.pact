pact tools "1.0.0" on ToolRun
  "How tools are called.  It declares its own record: any JSON log can be described like this."

record ToolRun {
  id:      string?
  kind:    string = "other"
  tool:    string?
  args:    dyn?
  ok:      bool?
  error:   string?
  latency: duration(s)?
}

applies when kind == "tool"

pattern order_number = r"^LC-[0-9]{6}$"

clause names_its_order "Order tools get one well-formed order number." {
  severity critical
  when     tool in ["lookup_order", "issue_refund", "cancel_order", "change_address"]
  require  string(args.order).matches(order_number)
}

clause refund_is_complete "A refund says how much, in euros, and why." {
  when    tool == "issue_refund"
  require has(args.amount) && args.currency == "EUR" && has(args.reason)
}

clause failure_is_named { when ok == false  require has(error) }

clause no_slow_tools { severity minor  when has(latency)  require latency < 10s }

test "a complete refund" {
  call {
    kind: "tool",
    tool: "issue_refund",
    ok: true,
    latency: 9.9s,
    args: {"order": "LC-204117", "amount": 12.5, "currency": "EUR", "reason": "damaged"}
  }
  expect ok
  expect skipped failure_is_named
}

test "a refund without an amount, for no order" {
  call {
    kind: "tool",
    tool: "issue_refund",
    args: {"order": 204117, "currency": "EUR", "reason": "damaged"}
  }
  expect violation of names_its_order, refund_is_complete
  expect skipped failure_is_named, no_slow_tools
}

test "a refund in another currency, without a reason" {
  call {
    kind: "tool",
    tool: "issue_refund",
    args: {"order": "LC-204117", "amount": 12.5, "currency": "USD"}
  }
  expect violation of refund_is_complete
}

test "a tool that fails, slowly" {
  call { kind: "tool", tool: "search", ok: false, latency: 30s }
  expect violation of failure_is_named, no_slow_tools
  expect skipped names_its_order, refund_is_complete
  call { kind: "tool", tool: "search", ok: false, error: "timeout", latency: 2s }
  expect ok
}

test "a chat is no tool" {
  call { kind: "chat", tool: "issue_refund" }
  expect ok
}
