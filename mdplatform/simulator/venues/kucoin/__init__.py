"""KuCoin spot and futures."""
