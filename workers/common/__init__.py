"""What the three workers share: what a request may be, how models are found and how jobs become batches."""
