pact airline "1.0.0" on AirlineCall
  "What the airline's policy for its agents says of the order of calls in one conversation."

// What it says of one call is in airline_calls.pact.  What hangs on numbers inside a tool's text (free bags, the
// user's tier, who pays the difference) is in neither.

record AirlineCall {
  id:      string as "call_id"
  session: string as "session_id"
  seq:     int    as "step"
  kind:    enum("llm", "tool")
  tool:    string?
  input:   dyn?  // of a tool its arguments; of the agent the messages that are new
  output:  string?
  ok:      bool?
}

pattern yes       = r"(?i)\b(yes|yeah|yep|sure|ok|okay|confirm(ed)?|go ahead|proceed|please do|correct|(looks|sounds) good|that works|let's do)\b"
pattern grievance = r"(?i)\b(delay|cancel|compensat|voucher|certificate)"
pattern reason    = r"(?i)\b(reason|because|change of plan|sick|ill|unwell|health|weather|emergency|passed away|funeral)"
pattern insurance = r"(?i)\binsur"
pattern basic     = r'"cabin": "basic_economy"'

let writes = ["book_reservation", "update_reservation_flights", "update_reservation_baggages",
              "update_reservation_passengers", "cancel_reservation"]
let hears  = kind == "llm" && input.exists(m, m.role == "user")

event said      when hears
event yes_said  when kind == "llm" && input.exists(m, m.role == "user" && m.content.matches(yes))
event else_said when hears && !input.exists(m, m.role == "user" && m.content.matches(yes))

// Confirm before a write ------------------------------------------------------------------------------

event write when tool in writes
event wrote when tool in writes && ok == true

clause asks_first "Nothing is changed before the user has said yes." {
  severity critical
  write only after yes_said
  on violation { block "Please confirm the change first." }
}

clause asks_last "What the user said last is a yes: any other word since then takes it back." {
  severity critical
  write never after else_said until yes_said
}

clause asks_each_time "One yes, one change; a yes to a list of changes is one yes." {
  severity minor
  wrote only after fresh yes_said
}

// Who, and which reservation --------------------------------------------------------------------------

event book    when tool == "book_reservation"
event change  when tool in writes && tool != "book_reservation"
event looked  when tool == "get_reservation_details" && ok == true
event profile when tool == "get_user_details" && ok == true
event give    when tool == "send_certificate"
event look_up when tool == "get_user_details"

clause user_id_comes_from_the_user "The agent obtains the user id; it does not make one up." {
  severity critical
  look_up.input.user_id only from said.input, looked.output
}

clause books_for_a_known_user { severity critical  book only after profile same input.user_id }
clause gives_to_a_known_user  { severity critical  give only after profile same input.user_id }

// What the agent has just booked itself it has not looked up either.
clause looks_before_it_changes {
  severity critical
  change only after looked same input.reservation_id
}

clause reservations_come_from_somewhere "A reservation is the user's: named by the user, or in the profile." {
  change.input.reservation_id only from said.input, profile.output, wrote.output
}

// Flights and payment ---------------------------------------------------------------------------------

event search       when tool in ["search_direct_flight", "search_onestop_flight"] && ok == true
event rebook       when tool == "update_reservation_flights"
event keeps_basic  when tool == "update_reservation_flights" && input.cabin == "basic_economy"
event looked_basic when tool == "get_reservation_details" &&
                        ok == true &&
                        has(output) &&
                        output.matches(basic)

clause basic_economy_stays "Basic economy flights cannot be modified." {
  severity critical
  keeps_basic never after looked_basic same input.reservation_id
}

clause flights_were_found "Flights are booked as a search found them." {
  book.input.flights only from search.output, search.input, said.input
}

clause pays_from_the_profile "A payment method is in the user's profile, or paid for the reservation." {
  severity critical
  rebook.input.payment_id only from profile.output, looked.output
}

clause asks_about_insurance {
  severity minor
  book only after insurance_talk
}

event insurance_talk when kind == "llm" && has(output) && output.matches(insurance)

// Cancelling, compensation, handing over --------------------------------------------------------------

event cancel      when tool == "cancel_reservation"
event reason_talk when kind == "llm" &&
                       (has(output) && output.matches(reason) ||
                        input.exists(m, m.role == "user" && m.content.matches(reason)))
event complains   when kind == "llm" &&
                       input.exists(m, m.role == "user" && m.content.matches(grievance))
event hand_over   when tool == "transfer_to_human_agents"

clause cancels_for_a_reason { cancel only after reason_talk }

clause gives_when_asked "Certificates are not offered before the user complains." {
  give only after complains
}

clause checks_before_it_gives "The facts are confirmed first." {
  severity critical
  give only after looked
}

clause hands_over_for_good "Who has handed over changes nothing any more." {
  write never after hand_over
}

// The conversation ------------------------------------------------------------------------------------

event acts    when kind == "tool"
event refused when tool in writes && ok == false
event tells   when kind == "llm" && has(output) && size(output) > 0

clause no_loops "The same call three times is a loop." {
  at most 2 acts per session same tool, input
}

clause answers_after_a_refusal "The user hears of a change that did not work, or it is mended, within 6 calls." {
  after refused expect settles within 6 calls
  on end violate
}

event settles when tells || tool in writes && ok == true

clause one_handover { severity minor  at most 1 hand_over per session }
