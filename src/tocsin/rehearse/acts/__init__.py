"""What happens once in the world, and is written down by each sensor that is there."""
