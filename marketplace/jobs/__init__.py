"""Work that takes longer than a page may: started by a person, done by a worker, its result waits."""
