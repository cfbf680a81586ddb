"""The sample town: pure files, and what the program makes of them."""
