"""Tests of the house itself: who imports whom, how large things grow, which words stand where, what the documents say."""
