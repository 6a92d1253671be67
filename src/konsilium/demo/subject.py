"""Who and what the demonstration's documents are about: invented people, passed in so that names agree."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Patient:
    """An invented patient as they stand on every document. `sex` is "male" or "female"."""

    family: str
    given: str
    patronymic: str
    sex: str
    birth_date: date
    card_number: str
    snils: str = ""
    policy: str = ""

    @property
    def full_name(self) -> str:
        """Family, given name and patronymic, as a document writes them."""
        return " ".join(filter(None, (self.family, self.given, self.patronymic)))

    @property
    def dicom_name(self) -> str:
        """The name in DICOM's form, its components between carets."""
        return f"{self.family}^{self.given}^{self.patronymic}".rstrip("^")


@dataclass(frozen=True)
class Clinical:
    """The case, its hospital and its doctor; `on` is the day the documents were made."""

    organization: str
    department: str
    doctor: str
    on: date
    diagnosis_code: str
    diagnosis: str
    anamnesis: str
    complaints: str = ""
    objective: str = ""
    treatment: str = ""
    city: str = ""


@dataclass(frozen=True)
class Opinion:
    """What a centre's consultant answered, for the scan of the signed paper."""

    number: str
    organization: str
    consultant: str
    position: str
    on: date
    conclusion: str
    recommendations: str
    studied: tuple[str, ...] = field(default=())
