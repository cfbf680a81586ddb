"""What the bureau's clerk runs: uploads, issue, expiry, drawing up a month; and any job's progress and result."""
