"""Hours that are built again because rows came late."""
