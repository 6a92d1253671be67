"""Every word of the room's script, as English message ids."""

from konsilium.workflow.words import N_

TEXTS = {
    "you": N_("you"),
    "hand_up": N_("Hand raised"),
    "muted": N_("Microphone off"),
    "screen": N_("Screen"),
    "sound_only": N_("Sound only"),
    "guest": N_("Guest"),
    "mute_them": N_("Mute"),
    "remove_them": N_("Put out"),
    "remove_sure": N_("Put out of the session"),
    "put_out": N_("Was put out"),
    "let_in_again": N_("Let in again"),
    "muted_by": N_("Your microphone was switched off by"),
    "tools": N_("What you can do"),
    "mic": N_("Microphone"),
    "camera": N_("Camera"),
    "hand": N_("Raise hand"),
    "leave": N_("Leave"),
    "microphone": N_("Microphone"),
    "level": N_("Speak: the bar should move"),
    "door_words": N_("Before you come in: do you see yourself, and does the bar move when you speak?"),
    "enter": N_("Enter the room"),
    "enter_sound": N_("Enter with sound only"),
    "door_sound_only": N_(
        "On a thin line sound comes first: still pictures are sent instead of a moving one."
    ),
    "no_device": N_("none was found. Connect it and press the button again, or enter without it."),
    "not_allowed": N_(
        "the browser may not use it. Allow it beside the page's address, then load the page again."
    ),
    "in_use": N_("another program uses it. Close that program and try again."),
    "device_trouble": N_("it doesn't work. Try another one, or enter without it."),
    "no_secure": N_("The browser gives camera and microphone to secure addresses only (https)."),
    "line_lost": N_(
        "The line is broken. You are being connected again; sound and picture may go on meanwhile."
    ),
    "reconnecting": N_("Connecting again …"),
    "mode_wished": N_("Sound only, with a still picture every few seconds."),
    "mode_thin": N_("The line is thin: sound only, with still pictures. The picture comes back by itself."),
    "chat": N_("Chat"),
    "chat_kept": N_("What is written here stays in the request."),
    "chat_write": N_("Write to everybody"),
    "chat_send": N_("Send"),
    "look_choose": N_("Look at together …"),
    "look_close": N_("Stop looking together"),
    "look_not_yours": N_("The others look at a document of the request. Ask them to share the screen."),
    "open_outside": N_("Open the video service"),
    "dial": N_("What to dial"),
    "come_back": N_("Come back"),
    "to_request": N_("To the request"),
    "ended_left": N_("You have left the session"),
    "ended_removed": N_("You were put out of the session"),
    "ended_revoked": N_("You can't be in this session any more"),
    "ended_elsewhere": N_("The session goes on in another window of yours"),
    "ended_over": N_("The session is over"),
    "ended_refused": N_("The room can't be entered now"),
    "record": N_("Record"),
    "record_stop": N_("End the recording"),
    "record_on": N_("The session is being recorded"),
    "record_asked": N_("%(name)s asks to record the session. Do you agree?"),
    "record_yes": N_("I agree"),
    "record_no": N_("I don't agree"),
    "record_waits": N_("Waiting for everybody's answer"),
    "record_refused": N_("Not everybody agrees: nothing is recorded"),
    "record_withdraw": N_("I don't agree any more"),
    "record_not_here": N_(
        "In the built-in room nothing passes a server, so it can't be recorded. A media server can."
    ),
}
