"""mdplatform: market data from WebSocket frame to Parquet file, with proof."""
