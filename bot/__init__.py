"""The thinking half of Understudy: stories, prompts, posts and the walk of a message. It does no I/O."""
