"""The prompt: a pure function of the stored session. Nothing in here waits, counts tokens itself or knows an engine."""
