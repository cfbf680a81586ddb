"""Demand and every face of the system: accounts, pages, API, commands, tasks."""
