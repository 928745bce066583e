"""A replay server: what was recorded, and what is recorded now, to clients of tardis-machine's protocol.

https://docs.tardis.dev/tardis-machine: one stream over several venues in order of receipt, as JSON. Sizes are in base
units.
"""
