"""The demonstration world: its people and cases are made by calling actions, its documents are drawn here."""
