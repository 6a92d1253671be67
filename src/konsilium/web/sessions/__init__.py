"""Pages of the desk: sessions."""
