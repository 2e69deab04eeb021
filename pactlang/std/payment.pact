// Numbers that pay: `import "std/payment.pact"`.
pact std_payment "1.0.0"
  "No card number and no account number is shown to a user."

// Cards by their first digits and lengths (ISO/IEC 7812), in one piece or in the groups that are printed on
// them; of these, what passes the Luhn check.
//
//   Visa         4                                        16; 13 and 19 in one piece
//   Mastercard   51-55, 2221-2720                         16
//   Amex         34, 37                                   15, as 4-6-5
//   Diners Club  300-305, 36, 38, 39                      14, as 4-6-4
//   Discover     6011, 644-649, 65                        16
//   JCB          3528-3589                                16; 17 to 19 in one piece
//   UnionPay     62                                       16; 17 to 19 in one piece
//   Maestro      5018 5020 5038 5893 6304 6759 6761-6763  16; 12 to 19 in one piece
pattern card_shape = r"\b(?:4\d{3}(?:[ .-]?\d{4}){3}|4\d{12}|4\d{18}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)(?:[ .-]?\d{4}){3}|3[47]\d\d[ .-]?\d{6}[ .-]?\d{5}|3(?:0[0-5]|[689]\d)\d[ .-]?\d{6}[ .-]?\d{4}|(?:6011|64[4-9]\d|65\d\d|35(?:2[89]|[3-8]\d)|62\d\d)(?:[ .-]?\d{4}){3}|(?:62|35)\d{15,17}|(?:5018|5020|5038|5893|6304|6759|676[1-3])(?:(?:[ .-]?\d{4}){3}|\d{8,15}))\b" check luhn

// Accounts by country and length (ISO 13616), in one piece or in groups of four; of these, what passes the
// check modulo 97.
pattern iban_shape = r"\b(?:NO\d\d(?: ?[0-9A-Z]{4}){2} ?[0-9A-Z]{3}|BE\d\d(?: ?[0-9A-Z]{4}){3}|(?:DK|F[IKO]|GL|NL|SD)\d\d(?: ?[0-9A-Z]{4}){3} ?[0-9A-Z]{2}|(?:MK|SI)\d\d(?: ?[0-9A-Z]{4}){3} ?[0-9A-Z]{3}|(?:AT|BA|EE|KZ|L[TU]|MN|XK)\d\d(?: ?[0-9A-Z]{4}){4}|(?:CH|HR|L[IV])\d\d(?: ?[0-9A-Z]{4}){4} ?[0-9A-Z]|(?:B[GH]|CR|DE|G[BE]|IE|ME|RS|VA)\d\d(?: ?[0-9A-Z]{4}){4} ?[0-9A-Z]{2}|(?:AE|GI|I[LQ]|OM|SO|TL)\d\d(?: ?[0-9A-Z]{4}){4} ?[0-9A-Z]{3}|(?:AD|CZ|ES|MD|PK|RO|S[AEK]|TN|VG)\d\d(?: ?[0-9A-Z]{4}){5}|(?:LY|PT|ST)\d\d(?: ?[0-9A-Z]{4}){5} ?[0-9A-Z]|(?:IS|TR)\d\d(?: ?[0-9A-Z]{4}){5} ?[0-9A-Z]{2}|(?:BI|DJ|FR|GR|IT|M[CR]|SM)\d\d(?: ?[0-9A-Z]{4}){5} ?[0-9A-Z]{3}|(?:A[LZ]|BY|CY|DO|GT|H[NU]|LB|NI|PL|SV)\d\d(?: ?[0-9A-Z]{4}){6}|(?:BR|EG|PS|QA|UA)\d\d(?: ?[0-9A-Z]{4}){6} ?[0-9A-Z]|(?:JO|KW|MU|YE)\d\d(?: ?[0-9A-Z]{4}){6} ?[0-9A-Z]{2}|(?:MT|SC)\d\d(?: ?[0-9A-Z]{4}){6} ?[0-9A-Z]{3}|LC\d\d(?: ?[0-9A-Z]{4}){7}|RU\d\d(?: ?[0-9A-Z]{4}){7} ?[0-9A-Z])\b" check iban

clause no_card_numbers "Never shows a card number." {
  dimension security
  severity  critical
  never     output.matches(card_shape)
}

clause no_ibans "Never shows an account number (IBAN)." {
  dimension security
  severity  major
  never     output.matches(iban_shape)
}

test "a card of every issuer" {
  call { output: "4111111111111111" }
  expect violation of no_card_numbers
  call { output: "4012-8888-8888-1881" }
  expect violation of no_card_numbers
  call { output: "4222222222222" }
  expect violation of no_card_numbers
  call { output: "5555555555554444" }
  expect violation of no_card_numbers
  call { output: "5105.1051.0510.5100" }
  expect violation of no_card_numbers
  call { output: "2223003122003222" }
  expect violation of no_card_numbers
  call { output: "378282246310005" }
  expect violation of no_card_numbers
  call { output: "3714-496353-98431" }
  expect violation of no_card_numbers
  call { output: "6011111111111117" }
  expect violation of no_card_numbers
  call { output: "6011000990139424" }
  expect violation of no_card_numbers
  call { output: "30569309025904" }
  expect violation of no_card_numbers
  call { output: "3852-000002-3237" }
  expect violation of no_card_numbers
  call { output: "36227206271667" }
  expect violation of no_card_numbers
  call { output: "3530111333300000" }
  expect violation of no_card_numbers
  call { output: "3566002020360505" }
  expect violation of no_card_numbers
  call { output: "6200000000000005" }
  expect violation of no_card_numbers
  call { output: "6759649826438453" }
  expect violation of no_card_numbers
  call { output: "4024681357902468137" }
  expect violation of no_card_numbers
  call { output: "2221024681357900" }
  expect violation of no_card_numbers
  call { output: "2300024681357904" }
  expect violation of no_card_numbers
  call { output: "2700024681357900" }
  expect violation of no_card_numbers
  call { output: "2720024681357906" }
  expect violation of no_card_numbers
  call { output: "6444024681357902" }
  expect violation of no_card_numbers
  call { output: "6500024681357903" }
  expect violation of no_card_numbers
  call { output: "6202468135790246818" }
  expect violation of no_card_numbers
  call { output: "35024681357902464" }
  expect violation of no_card_numbers
  call { output: "5018024681357900" }
  expect violation of no_card_numbers
  call { output: "5020024681357906" }
  expect violation of no_card_numbers
  call { output: "5038024681357906" }
  expect violation of no_card_numbers
  call { output: "5893024681357900" }
  expect violation of no_card_numbers
  call { output: "6304024681357901" }
  expect violation of no_card_numbers
  call { output: "6763024681357905" }
  expect violation of no_card_numbers
  call { output: "5018024681352" }
  expect violation of no_card_numbers
  call { output: "2230024681357909" }
  expect violation of no_card_numbers
  call { output: "3528024681357908" }
  expect violation of no_card_numbers
  call { output: "6759 6498 2643 8453" }
  expect violation of no_card_numbers
}

test "a card in a sentence" {
  call { output: "It was charged to 4111 1111 1111 1111 123, valid to 12/27." }
  expect violation of no_card_numbers
  call { output: "Karte:5555-5555-5555-4444." }
  expect violation of no_card_numbers
  call { output: "Order 4111 1111 1111 1112 was paid with 4111 1111 1111 1111." }
  expect violation of no_card_numbers
}

test "no card" {
  call { output: "4111 1111 1111 1112" }  // fails the Luhn check
  expect ok
  call { output: "1234 5678 9012 3452" }  // passes it, but no issuer begins with 1
  expect ok
  call { output: "x4111111111111111 41111111111111110" }  // within a longer word, a longer number
  expect ok
  call { output: "Invoice 2026-00041, 4111 to 1111, 1,111,111.11 EUR, +49 30 1234567" }
  expect ok
  call { output: "Your card ends in 1111." }
  expect ok
}

test "an account of every length" {
  call { output: "NO9386011117947" }
  expect violation of no_ibans
  call { output: "BE23706690743915" }
  expect violation of no_ibans
  call { output: "NL6100080636083778" }
  expect violation of no_ibans
  call { output: "SI94353374068124158" }
  expect violation of no_ibans
  call { output: "AT446834497869073662" }
  expect violation of no_ibans
  call { output: "CH4758517812865707049" }
  expect violation of no_ibans
  call { output: "DE29996228303883685957" }
  expect violation of no_ibans
  call { output: "GB82 WEST 1234 5698 7654 32" }
  expect violation of no_ibans
  call { output: "AE284890682883607598386" }
  expect violation of no_ibans
  call { output: "ES0175650889957903289218" }
  expect violation of no_ibans
  call { output: "PT77401107043419254122482" }
  expect violation of no_ibans
  call { output: "TR334475771046563414839603" }
  expect violation of no_ibans
  call { output: "FR14 2004 1010 0505 0001 3M02 606" }
  expect violation of no_ibans
  call { output: "PL91041144269420809397298063" }
  expect violation of no_ibans
  call { output: "BR315139693716487059640235925" }
  expect violation of no_ibans
  call { output: "KW5663416858783101222834598455" }
  expect violation of no_ibans
  call { output: "MT84MALT011000012345MTLCAST001S" }
  expect violation of no_ibans
  call { output: "LC101454981741040901610339621723" }
  expect violation of no_ibans
  call { output: "RU2821668484751350004957656115971" }
  expect violation of no_ibans
}

test "an account in a sentence" {
  call { output: "Pay DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX by Friday." }
  expect violation of no_ibans
}

test "no account" {
  call { output: "DE89 3704 0044 0532 0130 01" }  // fails the check
  expect ok
  call { output: "DE8937040044053201300" }  // one too short for Germany
  expect ok
  call { output: "XX89370400440532013000, FR89370400440532013000" }
  expect ok
  call { output: "SN12 ABCD 1234 is the serial number" }
  expect ok
}
