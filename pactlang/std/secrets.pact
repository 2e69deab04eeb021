// Credentials by their published shapes: a prefix that the issuer documents, then its alphabet and length.
// `import "std/secrets.pact"` brings the clause and all patterns.
pact std_secrets "1.0.0"
  "Nothing that opens a door is shown to a user."

// Clouds
pattern aws_key_id_shape     = r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"
pattern aws_secret_key_shape = r"""(?i)aws_?secret_?(?:access_?)?key["']?\s*[:=]\s*["']?[A-Za-z0-9/+]{40}(?:[^A-Za-z0-9/+=]|$)"""
pattern azure_key_shape      = r"\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{43,86}={1,2}"
pattern google_key_shape     = r"\bAIza[0-9A-Za-z_-]{35}"
pattern google_oauth_shape   = r"\b(?:GOCSPX-[0-9A-Za-z_-]{28}|ya29\.[0-9A-Za-z_-]{30,})"

// Models
pattern openai_key_shape      = r"\bsk-(?:(?:proj|svcacct|admin)-[0-9A-Za-z_-]{40,}|[0-9A-Za-z]{48}\b)"
pattern anthropic_key_shape   = r"\bsk-ant-[a-z]{3,5}\d\d-[0-9A-Za-z_-]{32,}"
pattern huggingface_key_shape = r"\bhf_[A-Za-z]{34}\b"

// Code and packages
pattern github_token_shape = r"\b(?:gh[pousr]_[0-9A-Za-z]{36,255}|github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59})\b"
pattern gitlab_token_shape = r"\bglpat-[0-9A-Za-z_-]{20,}"
pattern npm_token_shape    = r"\bnpm_[0-9A-Za-z]{36}\b"
pattern pypi_token_shape   = r"\bpypi-AgEIcHlwaS5vcmc[0-9A-Za-z_-]{50,}"

// Services
pattern slack_token_shape   = r"\bxox[abeoprs]-[0-9A-Za-z-]{20,}|\bxapp-\d-[0-9A-Z]{8,}-\d{8,}-[0-9a-f]{32,}"
pattern slack_webhook_shape = r"\bhooks\.slack\.com/services/T[0-9A-Z]{8,}/B[0-9A-Z]{8,}/[0-9A-Za-z]{24}\b"
pattern stripe_key_shape    = r"\b(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{24,}|\bwhsec_[0-9A-Za-z+/]{32,}"
pattern sendgrid_key_shape  = r"\bSG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"
pattern telegram_bot_shape  = r"\b\d{8,10}:AA[0-9A-Za-z_-]{33}\b"

// Of no issuer
pattern private_key_shape = r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
pattern jwt_shape         = r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{20,}"
pattern url_login_shape   = r'''\b[a-z][a-z0-9+]*://[^\s/:@"']+:[^\s/@"']{3,}@[0-9A-Za-z]'''

clause no_secrets "Never shows a key, a token, a private key or a login." {
  dimension security
  severity  critical
  never     output.matches(aws_key_id_shape) ||
            output.matches(aws_secret_key_shape) ||
            output.matches(azure_key_shape) ||
            output.matches(google_key_shape) ||
            output.matches(google_oauth_shape) ||
            output.matches(openai_key_shape) ||
            output.matches(anthropic_key_shape) ||
            output.matches(huggingface_key_shape) ||
            output.matches(github_token_shape) ||
            output.matches(gitlab_token_shape) ||
            output.matches(npm_token_shape) ||
            output.matches(pypi_token_shape) ||
            output.matches(slack_token_shape) ||
            output.matches(slack_webhook_shape) ||
            output.matches(stripe_key_shape) ||
            output.matches(sendgrid_key_shape) ||
            output.matches(telegram_bot_shape) ||
            output.matches(private_key_shape) ||
            output.matches(jwt_shape) ||
            output.matches(url_login_shape)
}

test "a key of every issuer" {
  call { output: "AKIAJ3K5L7MNPQR2STUV" }
  expect violation of no_secrets
  call { output: "ASIAJ3K5L7MNPQR2STUV" }
  expect violation of no_secrets
  call { output: "AWS_SECRET_ACCESS_KEY=aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6g/+" }
  expect violation of no_secrets
  call { output: "aws_secret_key: 'aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9'" }
  expect violation of no_secrets
  call {
    output: "AccountKey=aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4=="
  }
  expect violation of no_secrets
  call { output: "SharedAccessKey=aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2=" }
  expect violation of no_secrets
  call { output: "AIzaaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3d" }
  expect violation of no_secrets
  call { output: "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" }
  expect violation of no_secrets
  call { output: "ya29.aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY" }
  expect violation of no_secrets
  call { output: "sk-aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ" }
  expect violation of no_secrets
  call {
    output: "sk-proj-aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY_-aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY"
  }
  expect violation of no_secrets
  call {
    output: "sk-svcacct-aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY_-aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY"
  }
  expect violation of no_secrets
  call {
    output: "sk-admin-aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY_-aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY"
  }
  expect violation of no_secrets
  call {
    output: "sk-ant-api03-aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zAA"
  }
  expect violation of no_secrets
  call { output: "hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh" }
  expect violation of no_secrets
  call { output: "ghp_aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE" }
  expect violation of no_secrets
  call {
    output: "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"
  }
  expect violation of no_secrets
  call { output: "glpat-aB3dE6gH9jK2mN5pQ8rS" }
  expect violation of no_secrets
  call { output: "npm_aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE" }
  expect violation of no_secrets
  call {
    output: "pypi-AgEIcHlwaS5vcmcaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8"
  }
  expect violation of no_secrets
  call { output: "xoxb-123456789012-1234567890123-aB3dE6gH9jK2mN5pQ8rS1tU4" }
  expect violation of no_secrets
  call {
    output: "xapp-1-A0123456789-1234567890123-0a1b2c3d4e5f67890a1b2c3d4e5f67890a1b2c3d4e5f67890a1b2c3d4e5f6789"
  }
  expect violation of no_secrets
  call { output: "https://hooks.slack.com/services/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" }
  expect violation of no_secrets
  call { output: "sk_live_aB3dE6gH9jK2mN5pQ8rS1tU4" }
  expect violation of no_secrets
  call {
    output: "rk_test_aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6"
  }
  expect violation of no_secrets
  call { output: "whsec_aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0za" }
  expect violation of no_secrets
  call { output: "SG.aB3dE6gH9jK2mN5pQ8rS1t.aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2" }
  expect violation of no_secrets
  call { output: "123456789:AAaB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB" }
  expect violation of no_secrets
  call { output: "-----BEGIN PRIVATE KEY-----" }
  expect violation of no_secrets
  call { output: "-----BEGIN RSA PRIVATE KEY-----" }
  expect violation of no_secrets
  call { output: "-----BEGIN OPENSSH PRIVATE KEY-----" }
  expect violation of no_secrets
  call { output: "-----BEGIN PGP PRIVATE KEY BLOCK-----" }
  expect violation of no_secrets
  call {
    output: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zaB3dE6gH9jK2"
  }
  expect violation of no_secrets
  call { output: "postgres://app:s3cret@db.example:5432/shop" }
  expect violation of no_secrets
}

test "no key" {
  call { output: "AKIAJ3K5L7MNPQR2STU, AKIAJ3K5L7MNPQR2STU0, xAKIAJ3K5L7MNPQR2STUV" }  // too short, no base32, within a word
  expect ok
  call { output: "aws_secret_access_key = your-key-here" }
  expect ok
  call { output: "AIza is what a key of Google begins with, sk- one of OpenAI" }
  expect ok
  call { output: "sk-learn-contrib and sk-aB3dE6gH9jK2mN5pQ8rS" }  // too short
  expect ok
  call {
    output: "ghp_aB3dE6gH9jK2mN5pQ8rS, github_pat_11A, gho_, npm_install, hf_hub_download, hf_transformers_cache_directory_path_name"
  }  // too short, or names
  expect ok
  call { output: "xoxb-your-token, hooks.slack.com/services/XXX" }
  expect ok
  call { output: "pk_live_aB3dE6gH9jK2mN5pQ8rS1tU4 may be shown: it is the public half" }
  expect ok
  call { output: "-----BEGIN PUBLIC KEY-----, -----BEGIN CERTIFICATE-----" }
  expect ok
  call { output: "eyJhbGciOiJIUzI1NiJ9, eyJhbGciOiJIUzI1NiJ9." }  // a part of a token
  expect ok
  call { output: "https://example.com:8080/a@b, see https://example.com/login?user=a:b@c" }
  expect ok
}
