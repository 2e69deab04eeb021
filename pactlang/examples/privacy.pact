pact privacy "1.0.0"
  "What must never appear in an answer to a customer."

applies when kind == "chat"

pattern card       = r"\b\d(?:[ -]?\d){12,18}\b" check luhn
pattern account    = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b" check iban
pattern staff_mail = r"(?i)\b[a-z]+\.[a-z]+@larkspur-cycles\.example\b"
phrases insides    = ["system prompt", "my instructions", "internal use only"]

clause no_card_numbers  { dimension security  severity critical  never output.matches(card) }
clause no_bank_accounts { dimension security  severity critical  never output.matches(account) }
clause no_staff_mail    { dimension security  never output.matches(staff_mail) }
clause keeps_secrets    { dimension security  never output.says(insides) }

test "an answer without secrets" {
  call {
    kind: "chat",
    output: "Write to help@larkspur-cycles.example about parcel 4111 1111 1111 1112."
  }
  expect ok
}

test "numbers of cards and accounts" {
  call { kind: "chat", output: "We refunded 4111 1111 1111 1111." }
  expect violation of no_card_numbers
  call { kind: "chat", output: "We paid to DE89 3704 0044 0532 0130 00." }
  expect violation of no_bank_accounts
}

test "what stays inside" {
  call {
    kind: "chat",
    output: "Ask ada.brown@larkspur-cycles.example; my instructions forbid more."
  }
  expect violation of no_staff_mail, keeps_secrets
}

test "tools may see what customers may not" {
  call { kind: "tool", output: "4111 1111 1111 1111" }
  expect ok
}
