"""The chain of seals over the journal, and the log of the bureau's own seal."""
