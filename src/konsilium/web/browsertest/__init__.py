"""The check of the computer in front of a person: camera, microphone, loudspeakers, line."""
