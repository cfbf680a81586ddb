"""Three approvals by three people over one digest: what statements and payout lists share."""
