"""The forked apps of Oscar."""
