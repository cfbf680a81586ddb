"""The bureau's desk: months and what blocks their closing."""
