pact privacy "1.0.0"
  "What must never appear in an answer to a customer."

applies when kind == "chat"

pattern card       = r"\b(?:\d[ -]?){13,19}\b" check luhn
pattern account    = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b" check iban
pattern staff_mail = r"(?i)\b[a-z]+\.[a-z]+@larkspur-cycles\.example\b"
phrases insides    = ["system prompt", "my instructions", "internal use only"]

clause no_card_numbers  { dimension security  severity critical  never output.matches(card) }
clause no_bank_accounts { dimension security  severity critical  never output.matches(account) }
clause no_staff_mail    { dimension security  never output.matches(staff_mail) }
clause keeps_secrets    { dimension security  never output.says(insides) }
