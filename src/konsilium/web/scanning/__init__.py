"""The page where the signed paper is photographed."""
