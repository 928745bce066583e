"""Books by the UTA push sockets, of spot and of futures."""
