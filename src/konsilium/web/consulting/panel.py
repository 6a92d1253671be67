"""The conclusion's part of the request page."""

from konsilium.web.consulting.placed import panel

__all__ = ["panel"]
