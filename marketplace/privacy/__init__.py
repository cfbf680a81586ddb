"""What a person may ask about their own data: a copy of all of it, its erasure; and how long each kind is kept."""
