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
