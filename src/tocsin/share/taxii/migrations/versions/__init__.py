"""One file a step; a step that went out is never changed, the next one mends it."""
