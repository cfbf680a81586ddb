"""What goes out and to whom: payout lists, refunds, the fund, rent handed over."""
