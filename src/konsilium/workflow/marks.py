"""What people draw on pictures, and how much of it."""

from konsilium.workflow.words import N_

MARK_KINDS = {
    "length": N_("Distance"),
    "angle": N_("Angle"),
    "arrow": N_("Arrow"),
    "text": N_("Text"),
    "ellipse": N_("Ellipse"),
    "rectangle": N_("Rectangle"),
    "probe": N_("Point"),
    "curve": N_("Curve"),
    "fit": N_("Surface fitted to a volume"),
}
LONGEST_TEXT = 300
# Of one instance; far more than any device makes.
MOST_FRAMES = 1_000_000
# A mark's points as JSON, in bytes; a panoramic curve has some hundred points.
LARGEST_MARK = 64 * 1024
# Of a request, all people's together.
MOST_MARKS = 2000
