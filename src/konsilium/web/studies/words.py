"""The inspector's codes in a doctor's words."""

from django.utils.translation import gettext, ngettext

from konsilium.workflow.words import N_

MODALITIES = {
    "CT": N_("CT"),
    "MR": N_("MRI"),
    "PX": N_("Panoramic X-ray"),
    "DX": N_("X-ray"),
    "CR": N_("X-ray"),
    "RG": N_("X-ray"),
    "IO": N_("Intra-oral X-ray"),
    "XC": N_("Photograph"),
    "US": N_("Ultrasound"),
    "PT": N_("PET"),
    "NM": N_("Scintigraphy"),
    "XA": N_("Angiography"),
    "SC": N_("Screenshot"),
    "OT": N_("Other picture"),
    "SR": N_("Report"),
}
LEFT_OUT = {
    "not_dicom": N_("no DICOM picture"),
    "dicomdir": N_("table of contents of a disc"),
    "no_pixels": N_("no picture in it"),
    "no_pixel_data": N_("no picture in it"),
    "broken": N_("damaged"),
    "damaged": N_("damaged"),
    "truncated": N_("the file breaks off"),
    "unsupported_syntax": N_("a compression that can't be read here"),
    "encrypted": N_("protected by a password"),
    "duplicate": N_("there twice"),
    "too_large": N_("too large"),
    "nested_archive": N_("an archive within the archive"),
    "program": N_("a program"),
}
OTHERWISE = N_("could not be read")
NO_PLANES = {
    "spacing": N_("slices at uneven distances"),
    "uneven_spacing": N_("slices at uneven distances"),
    "tilt": N_("the gantry was tilted"),
    "gantry_tilt": N_("the gantry was tilted"),
    "mixed_sizes": N_("pictures of several sizes"),
    "mixed_orientation": N_("slices in several directions"),
}


def modality(code: str) -> str:
    """Return a modality in words; an unknown code stands for itself."""
    return gettext(MODALITIES[code]) if code in MODALITIES else code


def why_left_out(code: str) -> str:
    """Say why a part of a document isn't shown."""
    return gettext(LEFT_OUT.get(code, OTHERWISE))


def why_no_planes(code: str) -> str:
    """Say why a series is shown slice by slice only; nothing for a reason that a doctor has no use for."""
    return gettext(NO_PLANES[code]) if code in NO_PLANES else ""


def pictures(count: int) -> str:
    """Count pictures."""
    return ngettext("%(count)s picture", "%(count)s pictures", count) % {"count": count}
