"""Profiles, centres, routes and terms as data."""
