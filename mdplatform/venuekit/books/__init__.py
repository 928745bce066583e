"""Order books: the sorted levels, and the three ways in which venues keep them up to date."""
