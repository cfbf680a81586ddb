"""What stands before the desks: sign-in, home, the living page of the design, error pages."""
