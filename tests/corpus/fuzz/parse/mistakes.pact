pact broken "1.0.0
clause a { require output == }
clause b { requir output.matches("(") && 1 + "a" }
let x = y let y = x
clause c { require 9223372036854775808 == 'a\q' && [1, 2 }
