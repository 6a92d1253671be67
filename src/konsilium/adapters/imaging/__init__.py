"""DICOM: files in, plain values and files out. Runs in the sandbox's child alone; no page imports it."""
