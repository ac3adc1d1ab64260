"""Tests of the judgements over words, and the labelled sentences that they are measured by."""
