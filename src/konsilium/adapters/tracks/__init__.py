"""What a media server recorded of one sender's sound or picture, made into a file that browsers play."""

from konsilium.adapters.tracks.mjr import BadTrack, Head, Origin, read_head, read_origin
from konsilium.adapters.tracks.webm import Playable, playable

__all__ = ["BadTrack", "Head", "Origin", "Playable", "playable", "read_head", "read_origin"]
