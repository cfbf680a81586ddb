"""What the bureau owes operators, and the monthly lists by which it is paid (拨付)."""
