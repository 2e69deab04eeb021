pact providers "1.0.0" on ProviderCall
  "What a client may expect of model providers, one answer at a time."

pattern address = r"^[a-z0-9.-]+(:[0-9]+)?$"

record ProviderCall {
  id:          string as "call_id"
  session:     string as "session_id"
  seq:         int    as "step"
  time:        timestamp?    as "ts"
  host:        string        as "provider_host"
  model:       string
  output:      string?
  tool_calls:  list(Asked) = []
  offered:     list(string)? as "tools_offered"
  finish:      string?       as "finish_reason"
  status:      int           as "http_status"
  failure:     Failure?      as "error"
  stream:      bool
  latency:     duration(ms)? as "latency_ms"
  clock:       enum("openai-processing-ms", "server-timing")? as "latency_source"
  input:       int?          as "tokens.in"
  answer:      int?          as "tokens.out"
  total:       int?          as "tokens.total"
  thought:     int = 0       as "tokens.reasoning"
  cached:      int = 0       as "tokens.cached"
  cost:        double?
  limit:       int?          as "params.max_tokens"
  temperature: double?       as "params.temperature"
}

record Asked   { id: string?, tool: string as "name", args: dyn? as "arguments" }
record Failure { code: dyn?, message: string, kind: string? as "type" }

let answered = status == 200
let cut_off  = ["length", "max_tokens", "MAX_TOKENS"]
let endings  = ["stop", "STOP", "end_turn", "complete", "completed", "tool_calls", "tool_use", "length",
                "max_tokens", "MAX_TOKENS", "pause_turn", "SAFETY"]

// The answer as HTTP saw it -------------------------------------------------------------------------

clause answers_come { severity critical; require answered }

clause failures_are_explained {
  when    !answered
  require has(failure) && size(failure.message) > 0
}

clause failures_have_codes {
  severity minor
  when     has(failure)
  require  has(failure.code) && failure.code != "invalid_request_error"
}

clause not_rate_limited { severity critical; never status == 429 || status == 503 }

clause never_both { never answered && has(failure) }

// How it ended --------------------------------------------------------------------------------------

clause says_how_it_ended {
  when    answered
  require has(finish) && size(finish) > 0
}

clause ends_in_known_ways {
  when    has(finish)
  require finish in endings
}

clause not_cut_off "An answer is not cut off by a limit on tokens." {
  when  has(finish)
  never finish in cut_off
}

clause tool_endings_have_tools {
  when    finish in ["tool_calls", "tool_use"]
  require size(tool_calls) > 0
}

clause says_something "An answer is a text or a tool call." {
  when    answered
  require has(output) && size(output) > 0 || size(tool_calls) > 0
}

// Tokens --------------------------------------------------------------------------------------------

clause tokens_add_up "The total is input and answer, with or without the thinking counted apart." {
  severity minor
  when     has(total)
  require  total == input + answer || total == input + answer + thought
}

clause cache_is_part_of_input {
  severity minor
  when     cached > 0
  require  cached <= input
}

clause stays_within_its_limit {
  when    has(limit)
  require answer <= limit
}

// Unguarded: a call that tells no count may have cost anything.
clause short_prompts { require input <= 10000 }

clause thinks_less_than_it_says {
  dimension cost_efficiency
  severity  minor
  when      thought > 0
  require   thought <= answer
}

// Time and money ------------------------------------------------------------------------------------

clause quick { dimension latency; when has(latency); require latency <= 20s }

clause quick_for_its_length "At most 2 s and 50 ms a token." {
  dimension latency
  severity  minor
  when      has(latency) && has(answer)
  require   double(latency.getMilliseconds() + 1000 * latency.getSeconds()) <= 2000.0 + 50.0 * double(answer)
}

clause latency_names_its_clock { require has(latency) == has(clock) }

clause cheap { dimension cost_efficiency; when has(cost); require cost <= 0.002 }

clause recorded_lately { severity info; when has(time); require time >= timestamp("2025-07-01T00:00:00Z") }

clause by_day { severity info; when has(time); require hour(time) >= 6 && hour(time) < 22 }

// Tools ---------------------------------------------------------------------------------------------

clause asks_for_offered_tools {
  dimension safety
  severity  critical
  when      has(offered)
  require   tool_calls.all(t, t.tool in offered)
}

clause arguments_are_objects {
  require tool_calls.all(t, has(t.args) && type(t.args) == map)
}

clause weather_of_a_place "The weather is asked for a place that has a name." {
  when    tool_calls.exists(t, t.tool == "get_weather")
  require tool_calls.filter(t, t.tool == "get_weather").all(t, size(t.args.city) > 0)
}

clause calls_can_be_answered "Every tool call has an id of its own." {
  when    size(tool_calls) > 0
  require tool_calls.all(t, has(t.id) && tool_calls.exists_one(u, u.id == t.id))
}

clause hosts_are_hosts { severity minor; require host.matches(address) && model != "" }

clause cool_heads { severity minor; when has(temperature); require temperature <= 0.5 }
