"""A caregiver's own pages: today's visits and what is told of each, with or without a network."""
