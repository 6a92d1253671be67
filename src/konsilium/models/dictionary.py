"""Dictionaries as data: an outside code is always the triple (OID, version, code)."""

from django.db import models

from konsilium.models._base import Row


class Dictionary(Row):
    """One version of one dictionary."""

    name = models.CharField(max_length=60)
    title = models.CharField(max_length=300)
    oid = models.CharField(max_length=64, blank=True)
    version = models.CharField(max_length=20)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    note = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="one_dictionary_version")]


class DictionaryEntryQuerySet(models.QuerySet["DictionaryEntry"]):
    """Finding entries."""

    def of(self, name: str) -> "DictionaryEntryQuerySet":
        """Entries of the dictionary's newest version, by code."""
        newest = Dictionary.objects.filter(name=name).order_by("-version").values("id")[:1]
        return self.filter(dictionary_id__in=newest).order_by("code")

    def search(self, text: str) -> "DictionaryEntryQuerySet":
        """Entries whose code begins with the text or whose name holds it."""
        return self.filter(models.Q(code__istartswith=text) | models.Q(name__icontains=text))


class DictionaryEntry(Row):
    """One row of a dictionary; `extra` keeps columns that only this dictionary has (a region's time zone)."""

    dictionary = models.ForeignKey(Dictionary, on_delete=models.CASCADE, related_name="entries")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=500)
    name_en = models.CharField(max_length=500, blank=True)
    parent = models.CharField(max_length=40, blank=True)
    extra = models.JSONField(default=dict)

    objects = DictionaryEntryQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dictionary", "code"], name="one_entry_a_code")]
