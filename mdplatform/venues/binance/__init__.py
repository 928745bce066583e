"""What Binance's venues share: combined streams. Spot and futures differ in messages and rules."""
