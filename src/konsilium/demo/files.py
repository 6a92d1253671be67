"""The demonstration's documents: real files of every kind, drawn here, the same for the same seed.

Nothing is downloaded and nobody is in the pictures: faces, teeth and X-rays are drawings, and say so.
"""

from konsilium.demo.papers import conclusion_scan_pdf, consent_scan_pdf, extract_pdf, histology_text
from konsilium.demo.pictures import face_photo_jpeg, intraoral_photo_jpeg
from konsilium.demo.radiology import cbct_zip, jaw_stl, panoramic_dicom
from konsilium.demo.subject import Clinical, Opinion, Patient

__all__ = [
    "Clinical",
    "Opinion",
    "Patient",
    "cbct_zip",
    "conclusion_scan_pdf",
    "consent_scan_pdf",
    "extract_pdf",
    "face_photo_jpeg",
    "histology_text",
    "intraoral_photo_jpeg",
    "jaw_stl",
    "panoramic_dicom",
]
