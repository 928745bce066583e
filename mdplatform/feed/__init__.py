"""Drivers that own sockets to venues, and tapes of what came through them."""
