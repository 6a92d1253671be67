"""Electronic signatures: what is signed and what that is worth, signing at one's own side, the signatory's desk."""
