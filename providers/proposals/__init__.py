"""Prices that operators propose and the bureau approves."""
