"""The User, in an app of its own so that its first migration depends on nobody's."""
