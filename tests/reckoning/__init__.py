"""An independent, plain reckoning of the rules of the money.

It shares no line with the program: pure Python over in-memory objects, written from the rules alone.
What the program must agree with is worked out here, so nothing in this package may import it.
"""
