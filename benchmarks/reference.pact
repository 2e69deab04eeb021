pact reference "1.0.0" on BenchCall
  "The 20 reference rules of rules.py: one clause per rule, in the order of the mask's bits."

record BenchTool {
  name:       string
  ok:         bool
  latency_ms: double
}

record BenchCall {
  id:             string
  channel:        string
  user_tier:      string
  model:          string
  latency_ms:     double
  ttft_ms:        double
  input_tokens:   int
  output_tokens:  int
  max_tokens:     int
  cost_usd:       double
  temperature:    double
  finish_reason:  string
  tool_calls:     list(BenchTool)
  retrieved_docs: int
  language:       string
  error:          string?
  retries:        int
  output:         string
}

clause n0 { when channel == "chat"  require latency_ms <= 2000.0 }
clause n1 { require cost_usd <= 0.05 }
clause n2 { require ttft_ms <= latency_ms }
clause n3 { require 0.0 <= temperature && temperature <= 1.0 }
clause n4 { require input_tokens + output_tokens <= 8000 }
clause n5 { require finish_reason in ["stop", "tool_calls", "length"] }
clause n6 {
  require tool_calls.all(t, t.name in ["search", "lookup_order", "get_invoice", "create_ticket",
                                       "send_mail", "calendar", "calc", "weather"])
}
clause n7 { require size(tool_calls) <= 4 }
clause n8 { when finish_reason == "tool_calls"  require size(tool_calls) > 0 }
clause n9 { when user_tier == "free"  require model in ["gpt-mini", "gpt-small"] && output_tokens <= 1024 }
clause n10 { never tool_calls.exists(t, !t.ok && t.latency_ms > 1000.0) }
clause n11 { require language in ["en", "de", "fr", "es", "pt"] || retrieved_docs > 0 }
clause n12 { require !has(error) || retries >= 1 }
clause n13 { require output_tokens <= max_tokens || finish_reason == "length" }

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
