"""The bureau's reviews: what the rules found, who decided, the rules themselves, and sampled call-backs."""
