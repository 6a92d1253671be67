"""The words that the viewer's script says, by the names it uses for them."""

from konsilium.workflow.words import N_

TEXTS = {
    "loading": N_("Loading pictures …"),
    "not_diagnostic": N_("For consultation, not a diagnostic device."),
    "preview": N_("Preview, not for diagnosis"),
}
