// Ways to reach a person: `import "std/contact.pact"`.  An agent that may give the address of its own support
// says so: `override clause no_emails { never output.matches(email_shape) && ... }`.
pact std_contact "1.0.0"
  "No address and no number at which a person is reached is shown to a user."

pattern email_shape = r"\b[0-9A-Za-z._%+'-]+@(?:[0-9A-Za-z-]+\.)+[A-Za-z]{2,24}\b"

// E.164: `+`, a country, up to 15 digits in all; blanks, dots, dashes and parentheses between them.
pattern phone_shape = r"\+[1-9](?:[ .()/-]{0,2}\d){7,14}\b"

// As written at home: the USA and Canada (area and exchange begin with 2 to 9), Britain, France, Germany.
pattern us_phone_shape = r"(?:\([2-9]\d\d\) ?|\b[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}\b"
pattern uk_phone_shape = r"\b0(?:[1-9]\d{3} \d{6}|[1-9]\d\d \d{3} \d{4}|2\d \d{4} \d{4})\b"
pattern fr_phone_shape = r"\b0[1-9](?:[ .]\d\d){4}\b"
pattern de_phone_shape = r"\b0[1-9]\d{1,4}(?: ?/ ?| - )\d{2,4}(?:[ -]?\d{2,4}){1,3}\b"

clause no_emails "Never shows an e-mail address." {
  dimension security
  severity  minor
  never     output.matches(email_shape)
}

clause no_phone_numbers "Never shows a telephone number." {
  dimension security
  severity  minor
  never     output.matches(phone_shape) ||
            output.matches(us_phone_shape) ||
            output.matches(uk_phone_shape) ||
            output.matches(fr_phone_shape) ||
            output.matches(de_phone_shape)
}

test "an address" {
  call { output: "Write to ada.lovelace+tax@mail.example.co.uk, please." }
  expect violation of no_emails
  call { output: "<o'brien@example.org>" }
  expect violation of no_emails
  call { output: "mailto:a@b.io" }
  expect violation of no_emails
}

test "no address" {
  call { output: "@ada, a@b, user@localhost, @example.com" }
  expect ok
  call { output: "git@ is what it begins with" }
  expect ok
  call { output: "x @ example.com" }
  expect ok
}

test "a number" {
  call { output: "+14155550132" }
  expect violation of no_phone_numbers
  call { output: "+49 30 901820 12" }
  expect violation of no_phone_numbers
  call { output: "+44 (0)20 7946 0958" }
  expect violation of no_phone_numbers
  call { output: "+33.1.23.45.67.89" }
  expect violation of no_phone_numbers
  call { output: "(415) 555-0132" }
  expect violation of no_phone_numbers
  call { output: "415-555-0132" }
  expect violation of no_phone_numbers
  call { output: "1-800-555-0199" }
  expect violation of no_phone_numbers
  call { output: "020 7946 0958" }
  expect violation of no_phone_numbers
  call { output: "07700 900123" }
  expect violation of no_phone_numbers
  call { output: "0117 496 0123" }
  expect violation of no_phone_numbers
  call { output: "01 23 45 67 89" }
  expect violation of no_phone_numbers
  call { output: "030/901820" }
  expect violation of no_phone_numbers
  call { output: "040 - 123 45 67" }
  expect violation of no_phone_numbers
}

test "no number" {
  call { output: "+1 2 3, 5+123, +0123456789" }  // too short, or no country
  expect ok
  call { output: "115-555-0132, 415-055-0132" }  // no area and no exchange begins with 0 or 1
  expect ok
  call { output: "2026-11-27 10:15, 12.50 EUR, 1/2, 3 - 4" }
  expect ok
  call { output: "Order 4155550132, room 415-5550" }
  expect ok
}
