"""CEL's conformance suite, run through the production path: `python -m tests.conformance FILE.jsonl`."""
