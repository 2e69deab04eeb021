// Numbers that stand for a person: `import "std/identity.pact"`.
pact std_identity "1.0.0"
  "No number that stands for a person is shown to a user."

// A social security number of the USA, written 123-45-6789 or 123 45 6789: never 000, 666 or 900 to 999 in
// front, never 00 in the middle, never 0000 at the end.
pattern us_ssn_shape = r"\b(?:00[1-9]|0[1-9]\d|[1-578]\d\d|6[0-57-9]\d|66[0-57-9])(?:-(?:0[1-9]|[1-9]\d)-| (?:0[1-9]|[1-9]\d) )(?:000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})\b"

clause no_us_ssns "Never shows a social security number (USA)." {
  dimension security
  severity  critical
  never     output.matches(us_ssn_shape)
}

test "a number" {
  call { output: "SSN 123-45-6789" }
  expect violation of no_us_ssns
  call { output: "It is 001-01-0001." }
  expect violation of no_us_ssns
  call { output: "665-99-9999" }
  expect violation of no_us_ssns
  call { output: "667-12-3456" }
  expect violation of no_us_ssns
  call { output: "899-10-1000" }
  expect violation of no_us_ssns
  call { output: "078-05-1120" }
  expect violation of no_us_ssns
  call { output: "601-10-0100" }
  expect violation of no_us_ssns
  call { output: "660-10-0010" }
  expect violation of no_us_ssns
  call { output: "512 34 5678" }
  expect violation of no_us_ssns
  call { output: "512 04 5678" }
  expect violation of no_us_ssns
}

test "no number" {
  call { output: "000-45-6789, 666-45-6789, 900-45-6789, 987-65-4320" }  // areas that are never given
  expect ok
  call { output: "123-00-6789, 123-45-0000" }  // groups and serials that are never given
  expect ok
  call { output: "123-45 6789, 123456789, 123-456-789" }  // written otherwise
  expect ok
  call { output: "1234-45-6789, 123-45-67890" }
  expect ok
  call { output: "Call 212-555-0199 before 2026-11-27." }
  expect ok
}
