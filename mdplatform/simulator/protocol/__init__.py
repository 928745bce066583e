"""What the venues' simulators are built from: exchanges, peers, limits, the link to a socket."""
