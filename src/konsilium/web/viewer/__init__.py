"""The viewer's page: its settings, previews, marks and key images."""
