"""Outgoing bank lines, matched to what they pay: payout lists, refunds, handings over."""
