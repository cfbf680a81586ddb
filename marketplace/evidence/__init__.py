"""What an auditor takes along: a month's books, statements, approvals and receipts, signed."""
