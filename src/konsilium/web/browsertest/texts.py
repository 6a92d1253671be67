"""What the check's script says, as message ids by name."""

from konsilium.workflow.words import N_

TEXTS = {
    "asking": N_("Allow the camera when the browser asks."),
    "asking_microphone": N_("Allow the microphone when the browser asks."),
    "looking": N_("The camera is looked at: hold still for three seconds."),
    "speak": N_("Say something aloud: the bar must move."),
    "tone": N_("A tone sounds, left and then right. Do you hear it?"),
    "yes": N_("Yes, I hear it"),
    "no": N_("No"),
    "again": N_("Once more"),
    "measuring": N_("The line is measured for 16 seconds. Leave other programs alone."),
    "keeping": N_("The result is kept."),
    "failed": N_("The result was not kept. Look whether you are online and repeat the check."),
}
