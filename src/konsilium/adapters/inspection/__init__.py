"""The judges of uploaded files and the makers of copies for looking; all of this runs in the sandbox only.

A judge reads the whole file and finds that one kind explains all of it, or raises `reasons.Refused`.
"""
