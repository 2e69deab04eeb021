pact guarded "1.0.0"
  "The 20 rules of reference.pact over the standard record, as a guard judges them."

extend Call {
  channel:        string = ""
  user_tier:      string = ""
  max_tokens:     int = 0
  temperature:    double = 0.0
  retrieved_docs: int = 0
  language:       string = ""
  retries:        int = 0
}

clause n0 { when channel == "chat"  require latency <= 2s }
clause n1 { when has(cost)  require cost <= 0.05 }
clause n2 { when has(first_token)  require first_token <= latency }
clause n3 { require 0.0 <= temperature && temperature <= 1.0 }
clause n4 { when has(usage.input_tokens)  require usage.input_tokens + usage.output_tokens <= 8000 }
clause n5 { when has(finish)  require finish in ["stop", "tool_calls", "length"] }
clause n6 {
  require tool_calls.all(t, t.name in ["search", "lookup_order", "get_invoice", "create_ticket",
                                       "send_mail", "calendar", "calc", "weather"])
}
clause n7 { require size(tool_calls) <= 4 }
clause n8 { when finish == "tool_calls"  require size(tool_calls) > 0 }
clause n9 { when user_tier == "free" && has(usage.output_tokens)
  require model in ["gpt-mini", "gpt-small"] && usage.output_tokens <= 1024 }
clause n10 { never tool_calls.exists(t, t.ok == false && t.latency > 1s) }
clause n11 { require language in ["en", "de", "fr", "es", "pt"] || retrieved_docs > 0 }
clause n12 { require !has(error) || retries >= 1 }
clause n13 { when has(usage.output_tokens)  require usage.output_tokens <= max_tokens || finish == "length" }

// Text: from here on the rules read `output`.
pattern card  = r"\b[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b"
pattern email = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"
pattern ssn   = r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"
pattern phrase = r"ignore previous instructions|guaranteed returns|as your lawyer|as your doctor|insider information|risk-free profit|wire the money|send gift cards|your password is|social security number|kill yourself|make a bomb|credit card number|bypass the filter|disable safety|jailbreak mode|internal use only|confidential memo|do not tell anyone|trust me blindly|act now or lose|limited time offer|double your money|no questions asked|off the record|system prompt|developer message|hidden instructions|api key is|private key|root password|sudo rm -rf|drop table|select \* from users|union select|<script>|javascript:|eval\(|base64 -d|curl http|wget http|ssn is|date of birth is|mother's maiden name|passport number|routing number|account number is|pin code is|cvv is|one-time code is"

clause t0 { never output.contains("As an AI language model") }
clause t1 { never output.matches(card) }
clause t2 { never output.matches(email) }
clause t3 { never output.matches(ssn) }
clause t4 { never output.matches(phrase) }
clause t5 { never output.startsWith("I'm sorry") }
