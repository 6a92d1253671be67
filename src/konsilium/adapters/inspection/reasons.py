"""Why a file isn't taken: a code for the record, and a sentence that tells a doctor what to do instead."""

from typing import Any

from konsilium.workflow.words import N_

REASONS = {
    "two_kinds": N_(
        "The file is two kinds of file in one: something of another kind (%(found)s) is hidden in it. Open it "
        "in the program it comes from, save it again under a new name, and send that."
    ),
    "rest_behind": N_(
        "Behind the end of the file there is something that doesn't belong to it. Open it, save it again under "
        "a new name, and send that."
    ),
    "damaged": N_(
        "The file is damaged or cut off. See whether it opens on your computer; if it does, save it again and "
        "send that."
    ),
    "too_large": N_("A file of this kind may have at most %(most)s MB."),
    "too_many_points": N_(
        "The picture has %(found)s million points; at most %(most)s million are taken. Save it smaller and "
        "send that."
    ),
    "too_many_pages": N_("The file has more than %(most)s pages. Send it in parts."),
    "pdf_password": N_(
        "The PDF is protected by a password. Open it, print it into a new PDF without a password, and send that."
    ),
    "pdf_active": N_(
        "The PDF holds a script, a form with a life of its own, or starts something when it is opened. Print it "
        "into a new PDF and send that."
    ),
    "pdf_attachments": N_(
        "The PDF carries other files, sound or video inside. Send them one by one, and the PDF printed into a "
        "new PDF."
    ),
    "dicom_index": N_(
        "This is only the table of contents of a disc (DICOMDIR). Send the whole folder of the disc, or a ZIP "
        "of it."
    ),
    "office_macros": N_(
        "The document holds macros or scripts. Save it without macros, or as PDF, and send that."
    ),
    "office_objects": N_("The document has other files embedded in it. Save it as PDF and send that."),
    "office_links": N_("The document loads something from elsewhere. Save it as PDF and send that."),
    "office_password": N_(
        "The document is protected by a password. Remove it, or save it as PDF, and send that."
    ),
    "archive_password": N_(
        "The archive is protected by a password and can't be checked. Make it again without a password."
    ),
    "archive_bomb": N_(
        "The archive unpacks to far more than it should. Send the study's files as they are, as a folder."
    ),
    "archive_entries": N_("The archive holds more than %(most)s files. Send it in parts."),
    "archive_size": N_("The archive unpacks to more than %(most)s GB. Send it in parts, or as a folder."),
    "archive_paths": N_(
        "The archive holds a file that would be written outside its folder (%(name)s). Make the archive again "
        "from the study's folder."
    ),
    "archive_overlap": N_(
        "The archive's table of contents doesn't agree with what is in it. Make the archive again."
    ),
    "archive_twice": N_("The archive holds %(name)s twice. Make the archive again from the study's folder."),
    "archive_no_dicom": N_(
        "There are no DICOM files in the archive. Archives are taken for studies only; send other files one by "
        "one."
    ),
    "video_foreign": N_(
        "The video holds something that doesn't belong into an MP4. Save it as MP4 in a video program and send "
        "that."
    ),
    "video_none": N_("There is no picture in the video file. Save it as MP4 and send that."),
}


class Refused(Exception):
    """The file isn't taken; `reason` is one of `REASONS`, `params` are for its sentence."""

    def __init__(self, reason: str, **params: Any) -> None:
        super().__init__(reason)
        self.reason, self.params = reason, params
