pact retail "1.0.0" on RetailCall
  "What the shop's policy for its agents says of one conversation."

record RetailCall {
  id:         string as "call_id"
  session:    string as "session_id"
  seq:        int    as "step"
  kind:       enum("llm", "tool")
  tool:       string?
  input:      dyn?  // of a tool its arguments; of the agent the messages that are new
  output:     string?
  ok:         bool?
  tool_calls: list(Asked) = []
}

record Asked { tool: string as "name" }

pattern yes       = r"(?i)\b(yes|yeah|yep|sure|ok|okay|confirm(ed)?|go ahead|proceed|please do|correct|(looks|sounds) good)\b"
pattern pending   = r'"status": "pending'
pattern delivered = r'"status": "delivered"'
pattern all_items = r"(?i)\ball (of )?the items|any(thing| other items?| more items?) else|every item"
phrases farewell  = ["you are being transferred to a human agent"]

let finds  = ["find_user_id_by_email", "find_user_id_by_name_zip"]
let open   = ["cancel_pending_order", "modify_pending_order_items", "modify_pending_order_address",
              "modify_pending_order_payment"]
let back   = ["return_delivered_order_items", "exchange_delivered_order_items"]
let items  = ["modify_pending_order_items", "exchange_delivered_order_items"]
let writes = tool in open || tool in back || tool == "modify_user_address"
let agreed = kind == "llm" && input.exists(m, m.role == "user" && m.content.matches(yes))

event said        when kind == "llm" && input.exists(m, m.role == "user")
event yes_said    when agreed
event else_said   when kind == "llm" && input.exists(m, m.role == "user" && !m.content.matches(yes))
event found_user  when tool in finds && ok == true
event profile     when tool == "get_user_details" && ok == true
event looked      when tool == "get_order_details" && ok == true
event looked_open when tool == "get_order_details" &&
                       ok == true &&
                       has(output) &&
                       output.matches(pending)
event looked_sent when tool == "get_order_details" &&
                       ok == true &&
                       has(output) &&
                       output.matches(delivered)
event product     when tool == "get_product_details" && ok == true

// One turn --------------------------------------------------------------------------------------------

clause one_call_at_a_time { when kind == "llm"  require size(tool_calls) <= 1 }

clause talks_or_acts {
  severity minor
  when     size(tool_calls) > 0
  never    has(output) && size(output) > 0
}

// One user, known first -------------------------------------------------------------------------------

event personal  when tool in ["get_user_details", "get_order_details"] || writes
event of_a_user when tool in ["get_user_details", "modify_user_address"]
event of_order  when tool in open || tool in back

clause knows_the_user_first "The user is found by e-mail, or by name and zip, before anything else is looked up." {
  severity critical
  personal only after found_user
  on violation { block "I need to know who you are first." }
}

clause one_user_only "One conversation, one user." {
  severity critical
  at most 1 found_user per session
}

clause acts_for_the_user_found "A user id that the user says is not enough." {
  severity critical
  of_a_user.input.user_id only from found_user.output
}

clause orders_are_the_users "What is changed is an order of the user's own profile." {
  severity critical
  of_order.input.order_id only from profile.output
}

// Confirm before a write ------------------------------------------------------------------------------

event write when writes
event wrote when writes && ok == true

clause asks_first { severity critical  write only after yes_said }

clause asks_last "What the user said last is a yes: any other word since then takes it back." {
  severity critical
  write never after else_said until yes_said
}

clause asks_each_time "One yes, one change." { severity minor  wrote only after fresh yes_said }

// Status of an order ----------------------------------------------------------------------------------

event change_open when tool in open
event send_back   when tool in back
event changed     when tool in items && ok == true
event cancelled   when tool == "cancel_pending_order" && ok == true
event change_item when tool in items
event cancel      when tool == "cancel_pending_order"

clause pending_orders_only {
  severity critical
  change_open only after looked_open same input.order_id
}

clause delivered_orders_only {
  severity critical
  send_back only after looked_sent same input.order_id
}

clause items_change_once {
  severity critical
  at most 1 change_item per session same input.order_id
}

clause closed_after_items { severity critical  change_open never after changed same input.order_id }

clause closed_after_cancel {
  severity critical
  change_open never after cancelled same input.order_id
}

clause cancels_for_a_reason "No other reasons than these two." {
  when    tool == "cancel_pending_order"
  require input.reason in ["no longer needed", "ordered by mistake"]
}

// Items and payment -----------------------------------------------------------------------------------

event swap    when tool in items
event pays    when (tool in items ||
                    tool in ["return_delivered_order_items", "modify_pending_order_payment"]) &&
                   has(input.payment_method_id)
event reminds when kind == "llm" && has(output) && output.matches(all_items)

clause new_items_exist "New items are ones that the product list has." {
  swap.input.new_item_ids only from product.output
}

clause old_items_are_in_the_order { send_back.input.item_ids only from looked.output }

clause pays_by_known_methods "A method of the profile, or the order's own." {
  severity critical
  pays.input.payment_method_id only from profile.output, looked.output
}

clause reminds_of_all_items { severity minor  change_item only after fresh reminds }

// Handing over, and no loops --------------------------------------------------------------------------

event acts      when kind == "tool"
event hand_over when tool == "transfer_to_human_agents"
event goodbye   when kind == "llm" && has(output) && output.says(farewell)

clause says_that_it_hands_over {
  severity minor
  after hand_over expect goodbye within 1 calls
  on end violate
}

clause hands_over_for_good { write never after hand_over }
clause no_loops            { at most 2 acts per session same tool, input }
