"""Who acts for an elder: the elder's own account, family whom the elder let in, an agent on the telephone."""
