"""The monthly look at each place (一月一督查)."""
