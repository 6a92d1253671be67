"""A form with one field of every kind."""

from django import forms
from django.utils.translation import gettext_lazy as _

from konsilium.workflow.words import SEXES, URGENCIES


class SampleForm(forms.Form):
    """Text, long text, number, choice, radios, tick, ticks, date, time, file, password, code."""

    family = forms.CharField(label="Фамилия", max_length=100)
    given = forms.CharField(label="Имя", max_length=100)
    patronymic = forms.CharField(label="Отчество", max_length=100, required=False)
    snils = forms.CharField(
        label="СНИЛС",
        min_length=11,
        max_length=14,
        help_text="Одиннадцать цифр; две последние проверяются.",
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    sex = forms.ChoiceField(
        label="Пол", choices=[("", "—"), *((str(code), _(text)) for code, text in SEXES.items())]
    )
    birth_date = forms.DateField(
        label="Дата рождения", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    urgency = forms.ChoiceField(
        label="Форма помощи",
        choices=[(str(code), _(text)) for code, text in URGENCIES.items()],
        widget=forms.RadioSelect,
        help_text="От неё зависит, через сколько часов центр ответит.",
    )
    anamnesis = forms.CharField(label="Анамнез", min_length=20, widget=forms.Textarea(attrs={"rows": 4}))
    starts_at = forms.TimeField(label="Время", widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))
    minutes = forms.IntegerField(label="Минут", min_value=10, max_value=240)
    needs = forms.MultipleChoiceField(
        label="Нужно",
        choices=[
            ("visit", "Очный визит"),
            ("admission", "Госпитализация"),
            ("repeat", "Повторная консультация"),
        ],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    consent = forms.BooleanField(label="Пациент согласен")
    code = forms.CharField(
        label="Код из приложения",
        max_length=6,
        required=False,
        widget=forms.TextInput(
            attrs={"class": "otp", "inputmode": "numeric", "autocomplete": "one-time-code"}
        ),
    )
