"""The request page that all roles share."""
