"""One runnable file a claim. ``python -m benchmarks --list`` names them; ``make bench`` runs them all."""
