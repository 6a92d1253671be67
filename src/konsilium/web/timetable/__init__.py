"""The timetable of sessions, without patients."""
