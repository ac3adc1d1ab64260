"""What people do in rooms becomes posts, commands and changes of stories, and is answered there."""
