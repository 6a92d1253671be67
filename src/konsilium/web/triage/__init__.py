"""The dispatcher's desk: the work-list, and the moves that need a form."""
