"""What elders and their families meet, and a hotline agent for them."""
