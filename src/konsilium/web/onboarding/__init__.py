"""Registration: the public application, its status page, and the coordinator's desk."""
