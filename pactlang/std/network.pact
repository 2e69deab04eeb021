// Addresses of machines: `import "std/network.pact"`.
pact std_network "1.0.0"
  "No address of a machine is shown to a user."

pattern ipv4_shape = r"\b(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\b"

// Global unicast (2000::/3), unique local (fc00::/7) and link-local (fe80::/10): in full, or with one `::`.
pattern ipv6_shape = r"\b(?i:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f])(?i:(?::[0-9a-f]{1,4}){7}\b|(?::[0-9a-f]{1,4}){0,5}::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5}\b)?)"

clause no_ip_addresses "Never shows an IP address." {
  dimension security
  severity  minor
  never     output.matches(ipv4_shape) || output.matches(ipv6_shape)
}

test "an address" {
  call { output: "It came from 192.0.2.17." }
  expect violation of no_ip_addresses
  call { output: "http://255.255.255.255:80/" }
  expect violation of no_ip_addresses
  call { output: "10.0.0.1/8" }
  expect violation of no_ip_addresses
  call { output: "2001:db8::1" }
  expect violation of no_ip_addresses
  call { output: "2001:0DB8:85a3:0000:0000:8a2e:0370:7334" }
  expect violation of no_ip_addresses
  call { output: "fe80::1ff:fe23:4567:890a%eth0" }
  expect violation of no_ip_addresses
  call { output: "net 2001:db8::/32" }
  expect violation of no_ip_addresses
  call { output: "fd00::" }
  expect violation of no_ip_addresses
  call { output: "240.9.9.1" }
  expect violation of no_ip_addresses
  call { output: "9.9.9.230" }
  expect violation of no_ip_addresses
  call { output: "9.9.9.150" }
  expect violation of no_ip_addresses
}

test "no address" {
  call { output: "256.1.1.1, 1.2.3, 01.02.03.04" }  // no number is beyond 255 or begins with 0
  expect ok
  call { output: "Version 1.2.3, section 4.5.6, 1,234.567.89 EUR" }
  expect ok
  call { output: "std::face, a::b, ::1, 12:34:56, 2026:10:05 12:30:00" }
  expect ok
  call { output: "00:1B:44:11:3A:B7" }
  expect ok
}
