"""Print who may do what, from the rules themselves: docs/who-may-do-what.md."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation
from django.utils.translation import gettext

from konsilium.workflow.consultation import MACHINE
from konsilium.workflow.consultation import STATE_LABELS as CONSULTATION_LABELS
from konsilium.workflow.council import COUNCIL_MACHINE, COUNCIL_STATE_LABELS
from konsilium.workflow.document import DOCUMENT_MACHINE, DOCUMENT_STATE_LABELS
from konsilium.workflow.machine import Machine
from konsilium.workflow.onboarding import ORGANIZATION_MACHINE, ORGANIZATION_STATE_LABELS
from konsilium.workflow.roles import HATS, RIGHTS, ROLE_LABELS, Role
from konsilium.workflow.session import SESSION_MACHINE, SESSION_STATE_LABELS

MACHINES: tuple[tuple[str, Machine, dict[Any, str]], ...] = (
    ("Запрос / Request", MACHINE, CONSULTATION_LABELS),
    ("Сеанс / Session", SESSION_MACHINE, SESSION_STATE_LABELS),
    ("Консилиум / Council", COUNCIL_MACHINE, COUNCIL_STATE_LABELS),
    ("Документ / Document", DOCUMENT_MACHINE, DOCUMENT_STATE_LABELS),
    ("Организация / Organisation", ORGANIZATION_MACHINE, ORGANIZATION_STATE_LABELS),
)


def page() -> str:
    """Return the page as Markdown: rights by role, then each machine's table."""
    with translation.override("ru"):
        return (
            "\n".join([*_head(), *_rights(), *(line for given in MACHINES for line in _machine(*given))])
            + "\n"
        )


def _head() -> list[str]:
    return [
        "# Кто что может / Who may do what",
        "",
        "Printed from the rules by `konsilium rights`; a test compares them.",
        "An organisation's administrator wears the requesting doctor's hat for all requests of the organisation.",
        "",
    ]


def _both(text: str) -> str:
    russian = gettext(text)
    return russian if russian == text else f"{russian} ({text})"


def _rights() -> list[str]:
    roles = [role for role in Role if role not in HATS]
    head = "| Право | " + " | ".join(gettext(ROLE_LABELS[role]) for role in roles) + " |"
    rows = [
        f"| {_both(right.label)} | " + " | ".join("✓" if role in right.roles else "" for role in roles) + " |"
        for right in RIGHTS
    ]
    return ["## Права", "", head, "|" + "---|" * (len(roles) + 1), *rows, ""]


def _machine(title: str, machine: Machine, states: dict[Any, str]) -> list[str]:
    rows = [
        f"| {_both(machine.labels[row.move])} | {gettext(states[row.from_state])} | {gettext(states[row.to_state])} | "
        f"{gettext(ROLE_LABELS[row.role])} | {'; '.join(gettext(need.label) for need in row.needs)} |"
        for row in machine.rows
    ]
    return [f"## {title}", "", "| Шаг | Из | В | Кто | Нужно |", "|---|---|---|---|---|", *rows, ""]


class Command(BaseCommand):
    """`konsilium rights > docs/who-may-do-what.md`."""

    help = "Print who may do what."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the page."""
        self.stdout.write(page(), ending="")
