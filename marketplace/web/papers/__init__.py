"""Papers as PDF, and the public page that tells whether a paper is genuine."""
