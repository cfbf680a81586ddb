"""The city at a glance: what takes a pass over all vouchers is counted in the background and kept."""
