"""The trail of a figure: statement, its lines, redemption, voucher, issue run, entry. Every desk links here."""
