"""What is told to people by short message: in plain words, once, after the commit, with a log of it.

words.py holds the sentences, channels.py the ways out (console, file, a gateway), operations.py `tell`.
"""
