"""What must be raw ASGI: bytes that arrive for hours, over lines that break."""
