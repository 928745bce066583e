"""Markets: order books, prices, trades and their ground truth, stepped by a clock passed in from outside."""
