"""A story as a document: in from SillyTavern's files and out to them, to Markdown, HTML and EPUB. Bytes and texts only."""
