"""Pages of the desk: gallery of photographs, papers, films and surfaces."""
