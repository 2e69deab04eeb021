// What belongs to a person: `import "std/pii.pact"` brings all of these, and `drop clause ...` what is too much.
pact std_pii "1.0.0"
  "Nothing that belongs to a person is shown to a user."

import "std/payment.pact"
import "std/identity.pact"
import "std/contact.pact"
import "std/network.pact"

test "one of each" {
  call {
    output: "Ada, ada@example.org, +44 20 7946 0958, 123-45-6789, 4111 1111 1111 1111, GB82WEST12345698765432, 192.0.2.17"
  }
  expect violation of no_card_numbers, no_ibans, no_us_ssns, no_emails, no_phone_numbers,
  no_ip_addresses
}

test "none of them" {
  call { output: "Your order of 27 November is on its way." }
  expect ok
}
