"""Konsilium: consultations between doctors."""
