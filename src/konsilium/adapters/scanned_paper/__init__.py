"""Paper that comes back as photographs or a scan: straightened, joined, and its QR read. Run in the sandbox."""
