"""Every sentence on screen has its Chinese."""

import polib
import pytest
from django.core.management import call_command
from django.utils import translation

from tests import translations
from tests.translations import Sentence


def test_every_sentence_is_translated_and_no_translation_is_left_over():
    assert len(translations.wanted()) > 100
    assert translations.problems() == []


def test_english_is_what_stands_in_the_code():
    """Libraries bring English of their own: one calls vouchers coupons."""
    with translation.override("en"):
        said = {
            sentence.text: translation.pgettext(sentence.context, sentence.text)
            if sentence.context
            else translation.gettext(sentence.text)
            for sentence in translations.wanted()
            if sentence.plural is None
        }
    assert {text: other for text, other in said.items() if text != other} == {}


def test_control_what_the_code_shows_is_found(tmp_path):
    code = tmp_path / "code.py"
    code.write_text(
        '_("One")\nngettext("%(n)s day", "%(n)s days", n)\npgettext("verb", "Close")\nlog("not shown")\n'
    )
    assert list(translations.in_python(code)) == [
        Sentence(None, "One"),
        Sentence(None, "%(n)s day", "%(n)s days"),
        Sentence("verb", "Close"),
    ]


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ('<b>{% translate "Carried in" %}</b>', Sentence(None, "Carried in")),
        ('{% translate "It\'s" %}', Sentence(None, "It's")),
        ('{% translate "Close" context "verb" %}', Sentence("verb", "Close")),
        ('{{ _("Sum")|upper }}', Sentence(None, "Sum")),
        ("{% blocktranslate %}Up to {{ day }}.{% endblocktranslate %}", Sentence(None, "Up to %(day)s.")),
        (
            "{% blocktranslate trimmed count n=n %}\n  One (day)\n{% plural %}\n  {{ n }} days\n{% endblocktranslate %}",
            Sentence(None, "One (day)", "%(n)s days"),
        ),
    ],
)
def test_control_what_a_template_shows_is_found(template, sentence):
    head = "{% load i18n %}"
    assert list(translations.in_template(head + template)) == [sentence]


@pytest.mark.parametrize("fault", ["missing", "fuzzy", "empty", "placeholder", "left over"])
def test_control_each_fault_is_named(monkeypatch, tmp_path, fault):
    sentence = Sentence(None, "%(n)s days")
    monkeypatch.setattr(translations, "wanted", lambda: {sentence: "page.html"})
    entry = polib.POEntry(msgid=sentence.text, msgstr="%(n)s 天")
    catalogue = polib.POFile()
    if fault != "missing":
        catalogue.append(entry)
    if fault == "fuzzy":
        entry.flags.append("fuzzy")
    if fault == "empty":
        entry.msgstr = ""
    if fault == "placeholder":
        entry.msgstr = "%(m)s 天"
    if fault == "left over":
        catalogue.append(polib.POEntry(msgid="Gone", msgstr="没有了"))
    catalogue.save(str(tmp_path / "django.po"))
    monkeypatch.setattr(translations, "CATALOGUE", tmp_path / "django.po")
    assert len(translations.problems()) == 1


def test_compiled_without_gettext_tools_django_speaks_chinese(tmp_path, monkeypatch, settings):
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalogue = polib.POFile()
    catalogue.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    catalogue.append(polib.POEntry(msgid="A sentence of this test", msgstr="本测试的一句话"))
    catalogue.save(str(folder / "django.po"))
    settings.LOCALE_PATHS = [tmp_path]
    call_command("compilemessages", verbosity=0)
    with translation.override("zh-hans"):
        assert translation.gettext("A sentence of this test") == "本测试的一句话"
    assert settings.LANGUAGE_CODE == "zh-hans"
