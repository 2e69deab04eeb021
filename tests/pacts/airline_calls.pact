pact airline_calls "1.0.0" on AirlineCall
  "What the airline's policy for its agents says of one call."

// What needs the calls before (confirm first, look up first) is in airline.pact.

// The policy fixes the present: 2024-05-15 15:00 in New York, the time zone that it calls EST.
let now = timestamp("2024-05-15T15:00:00-05:00")
let bookings = ["book_reservation", "update_reservation_flights"]

pattern payment_method = r"^(credit_card|gift_card|certificate)_[0-9]{7}$"
pattern reservation    = r"^[A-Z0-9]{6}$"
pattern flight         = r"^HAT[0-9]{3}$"
pattern arithmetic     = r"^[0-9+\-*/(). ]+$"
pattern born           = r"^(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}$"
pattern flown          = r'"date": "2024-05-(0[0-9]|1[0-4])"'
pattern last_24_hours  = r'"created_at": "2024-05-(14T(1[5-9]|2[0-3])|15T)'
phrases advice         = ["I recommend", "I suggest", "I would advise"]

record AirlineCall {
  id:         string as "call_id"
  session:    string as "session_id"
  seq:        int    as "step"
  kind:       enum("llm", "tool")
  tool:       string?
  args:       dyn?   as "input"
  output:     string?
  ok:         bool?
  error:      string?
  tool_calls: list(Asked) = []
}

record Asked { tool: string as "name", args: dyn? as "arguments" }

// One turn of the agent ---------------------------------------------------------------------------

clause one_call_per_turn "A turn asks for one tool at most." {
  severity critical
  when     kind == "llm"
  require  size(tool_calls) <= 1
}

clause talks_or_acts "A turn speaks to the user or acts, never both." {
  severity minor
  when     kind == "llm" && size(tool_calls) > 0
  never    has(output) && size(output) > 0
}

clause gives_no_advice "Recommends nothing of its own accord." {
  dimension scope_honesty
  severity  minor
  when      kind == "llm" && has(output)
  never     output.says(advice)
}

clause asks_for_what_it_does "Each tool call that an answer asks for names its reservation as one." {
  when    kind == "llm" && size(tool_calls) > 0
  require tool_calls.all(t, !has(t.args.reservation_id) || t.args.reservation_id.matches(reservation))
}

// Passengers --------------------------------------------------------------------------------------

clause at_most_five_passengers "One to five people on a booking." {
  severity critical
  when     tool in ["book_reservation", "update_reservation_passengers"]
  require  size(args.passengers) >= 1 && size(args.passengers) <= 5
}

clause passengers_are_complete "Nobody flies without both names and a birthday." {
  when    tool in ["book_reservation", "update_reservation_passengers"]
  require args.passengers.all(p, size(p.first_name) > 0 && size(p.last_name) > 0 && p.dob.matches(born))
}

// Payment -----------------------------------------------------------------------------------------

clause one_certificate "Of certificates, one pays for a booking." {
  severity critical
  when     tool == "book_reservation"
  require  size(args.payment_methods.filter(p, p.payment_id.startsWith("certificate_"))) <= 1
  on violation { block "A booking can use one certificate only."; alert "payments" }
}

clause one_credit_card "Of credit cards, one." {
  severity critical
  when     tool == "book_reservation"
  require  size(args.payment_methods.filter(p, p.payment_id.startsWith("credit_card_"))) <= 1
}

clause three_gift_cards "Of gift cards, three." {
  severity critical
  when     tool == "book_reservation"
  require  size(args.payment_methods.filter(p, p.payment_id.startsWith("gift_card_"))) <= 3
}

clause payments_are_positive {
  when    tool == "book_reservation"
  require args.payment_methods.all(p, p.amount > 0 && p.payment_id.matches(payment_method))
}

clause changes_are_not_paid_by_certificate "Money for a change moves over a card, gift or credit." {
  severity critical
  when     tool == "update_reservation_flights"
  never    args.payment_id.startsWith("certificate_")
}

clause payment_is_enough "What is paid is the price." {
  when    tool == "book_reservation"
  never   has(error) && error.contains("payment amount does not add up")
}

// Flights and cabin -------------------------------------------------------------------------------

clause not_yet_flown "Only flights that have not taken off are booked or changed to." {
  severity critical
  when     tool in bookings
  require  args.flights.all(f, timestamp(f.date + "T23:59:59-05:00") >= now)
}

clause flights_have_numbers {
  when    tool in bookings
  require args.flights.all(f, f.flight_number.matches(flight))
}

clause one_cabin "One cabin for the whole of a booking." {
  when    tool in bookings
  require args.cabin in ["basic_economy", "economy", "business"] && !args.flights.exists(f, has(f.cabin))
}

clause goes_somewhere {
  when    tool == "book_reservation"
  require args.origin != args.destination
       && (args.flight_type == "one_way" || args.flight_type == "round_trip" && size(args.flights) >= 2)
}

clause searches_ahead "Searches for flights of today or later." {
  severity minor
  when     tool in ["search_direct_flight", "search_onestop_flight"]
  require  args.date >= "2024-05-15"
}

// Bags and insurance ------------------------------------------------------------------------------

clause bags_add_up "Paid bags are some of all bags." {
  when    tool in ["book_reservation", "update_reservation_baggages"]
  require args.nonfree_baggages >= 0 && args.nonfree_baggages <= args.total_baggages
}

// A gold member's allowance: the most that anybody gets. Membership is not known to this call.
clause free_bags "Never more free bags than a gold member gets." {
  when    tool == "book_reservation"
  require int(args.total_baggages) - int(args.nonfree_baggages)
       <= (args.cabin == "basic_economy" ? 2 : 3) * size(args.passengers)
}

clause insurance_is_answered {
  when    tool == "book_reservation"
  require args.insurance in ["yes", "no"]
}

// Cancelling and refunds --------------------------------------------------------------------------

clause cancels_before_departure "A trip of which a segment is flown is not cancelled, but handed over." {
  severity critical
  when     tool == "cancel_reservation" && ok == true
  never    output.matches(flown)
}

// The fourth ground, that the airline cancelled a flight, is known only to the calls before.
clause cancels_with_a_ground "Business class, insured, or booked within the last 24 hours." {
  when    tool == "cancel_reservation" && ok == true
  require output.contains('"cabin": "business"') || output.contains('"insurance": "yes"')
       || output.matches(last_24_hours)
}

clause certificate_amounts "50 or 100 dollars for each of at most five passengers." {
  severity critical
  when     tool == "send_certificate"
  require  args.amount >= 50 && args.amount <= 500 && int(args.amount) % 50 == 0
}

// Tools -------------------------------------------------------------------------------------------

clause reservation_ids_are_ids {
  when    kind == "tool" && has(args.reservation_id)
  require args.reservation_id.matches(reservation)
}

clause calculates_arithmetic {
  when    tool == "calculate"
  require args.expression.matches(arithmetic)
}

clause hands_over_with_a_summary {
  when    tool == "transfer_to_human_agents"
  require size(args.summary) >= 20
}

clause tools_work {
  severity minor
  when     kind == "tool"
  require  ok == true && !has(error)
}
