"""The pages of councils: the call, a council itself, and the desk of those who sit in them."""
