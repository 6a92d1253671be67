"""What the scripts of signing say, in the reader's language."""

from django.utils.translation import gettext


def texts() -> dict[str, str]:
    """Return the sentences by the names that frontend/src/signing knows."""
    return {
        "looking": gettext("Looking for the browser plug-in …"),
        "none": gettext(
            "No signing plug-in was found in this browser. Sign with another program and bring the file."
        ),
        "asking": gettext("The plug-in asks for your permission and reads your certificates …"),
        "no_certificates": gettext(
            "The plug-in has no certificate that is valid now. Plug your key in and open the page again."
        ),
        "until": gettext("valid until"),
        "fetching": gettext("The document is being fetched …"),
        "signing": gettext("Being signed …"),
        "sending": gettext("The signature is being sent …"),
        "signed": gettext("Signed, being checked"),
        "failed": gettext("Not signed"),
        "plugin_failed": gettext("The plug-in could not sign"),
        "not_fetched": gettext(
            "The document could not be fetched. Look whether you are connected and signed in."
        ),
        "not_sent": gettext(
            "The signature could not be sent. Look whether you are connected, and try again."
        ),
        "changed": gettext(
            "What arrived is not the document that the page shows. Don't sign; tell the administrator."
        ),
        "choose": gettext("Select documents first."),
        "done": gettext("Signed: %(good)s. Not signed: %(bad)s."),
    }
