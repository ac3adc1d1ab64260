"""Long-form text to posts: where to cut, and what keeps its markup whole. It knows no platform and no clock."""
