"""The HTTP contract (contracts.md, "HTTP"): parse, make one call, answer. docs/api.md tells how it is used."""
