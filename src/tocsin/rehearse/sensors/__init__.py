"""What happened in, a record as one kind of sensor writes it out."""
