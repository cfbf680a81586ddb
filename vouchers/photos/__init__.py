"""Photos as evidence: of a visit, of a home before and after works."""
