"""What ties Oscar's catalogue and basket to services, offers and elders."""
