"""The past, from the archives that venues publish."""
