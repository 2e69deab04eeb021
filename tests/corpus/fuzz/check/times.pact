pact times "1.0.0"
clause a { require time.getDayOfWeek("Europe/Paris") < 6 && hour(time) in [8, 9, 10] }
clause b { require duration("1h30m") > 5m && timestamp(0) + 1s != timestamp("1970-01-01T00:00:01.5Z") }
clause c { require bucket(usage.input_tokens, 10, 100, 1000) < 3 }
