"""The operator's office: what its manager sees and does."""
