"""Home adaptation as a project: from the request to a home that a third person has accepted."""
