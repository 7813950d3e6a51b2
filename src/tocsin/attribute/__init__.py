"""What was seen and what is known of groups in, who it may have been out, and how sure that is."""
