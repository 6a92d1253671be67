"""DICOMweb of one request: QIDO-RS and WADO-RS over what was read out of its documents."""
