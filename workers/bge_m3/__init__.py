"""Text: dense vectors, learned sparse weights, and a vector for each token."""
