"""Whether a text may be part of a story: pure judgements over words. It knows no session, no store and no place."""
