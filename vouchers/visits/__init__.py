"""What proves that a service was brought to an elder's home: reports, the visit they make, its grade."""
