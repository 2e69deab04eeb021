pact s "1.0.0" pattern p = r"[0-9]{3}" store { redact output p drop input limit 100 }
clause a { require true }
