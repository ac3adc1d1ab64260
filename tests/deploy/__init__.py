"""What is shipped for operators: files that other programs read, and the site of the documents."""
