"""The sample town: a made-up city's files, and the player that puts them through our own commands.

The generator half (`dates`, `people`, `terms`, `town`, `wallets`, `days`, `bank`, `generate`) is pure:
a day and a seed in, files out, no database and no clock. The other half (`demo_users`, `player`) plays
those files as a bureau would. See docs/sample-city.md.
"""
