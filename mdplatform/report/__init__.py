"""A day on one page: what is proven of it, what is missing and why, how late, how much, and what it cost."""
