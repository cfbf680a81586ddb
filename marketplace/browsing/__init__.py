"""A month's books in Fava behind the site's own sign-in: read-only, in a process of its own, gone when nobody looks."""
