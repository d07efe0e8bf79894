"""Words that people answer text messages with, and what we say once they have left or come back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from ccm.model.permissions import NewsKind

# Carriers listen to the English words everywhere; the FCC names stop, quit, end, revoke, opt out, cancel, unsubscribe.
_STOP: Mapping[str, tuple[str, ...]] = {
    "en": (
        "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "opt out", "optout", "opt-out",
        "remove", "remove me", "no more",
    ),
    "de": ("stopp", "stoppen", "abmelden", "abbestellen", "austragen", "ende", "keine sms", "keine werbung"),
    "fr": ("arret", "arrêt", "arreter", "arrêter", "desabonner", "désabonner", "desinscrire", "désinscrire", "fin"),
    "es": ("alto", "baja", "cancelar", "parar", "detener", "salir"),
    "it": ("ferma", "basta", "annulla", "disiscrivi", "cancellami"),
    "nl": ("afmelden", "uitschrijven", "stoppen aub"),
    "pl": ("wypisz", "rezygnuje", "rezygnuję", "koniec"),
    "pt": ("sair", "remover", "descadastrar", "pare"),
    "sv": ("avsluta", "avregistrera"),
    "da": ("afmeld",),
    "ar": ("ايقاف", "إيقاف", "توقف", "الغاء", "إلغاء"),
    "ja": ("停止", "配信停止", "ストップ", "解除"),
    "ru": ("стоп", "отписаться"),
}  # fmt: skip
_START: Mapping[str, tuple[str, ...]] = {
    "en": ("start", "unstop", "subscribe", "resume"),
    "de": ("anmelden", "wieder anmelden"),
    "fr": ("reprendre",),
    "es": ("iniciar", "empezar"),
    "it": ("inizia",),
    "nl": ("aanmelden",),
    "pl": ("zapisz",),
    "pt": ("iniciar de novo",),
    "ar": ("ابدأ",),
    "ja": ("開始", "再開"),
}
_HELP: Mapping[str, tuple[str, ...]] = {
    "en": ("help", "info"),
    "de": ("hilfe",),
    "fr": ("aide",),
    "es": ("ayuda",),
    "it": ("aiuto",),
    "pl": ("pomoc",),
    "pt": ("ajuda",),
    "ar": ("مساعدة",),
    "ja": ("ヘルプ",),
}
_POLITE = frozenset(
    {"please", "pls", "bitte", "svp", "merci", "thanks", "thank", "you", "danke", "aub", "now", "jetzt"}
)
_SIGNS = re.compile(r"[\s\W_]+", re.UNICODE)

# At most 160 characters of the GSM alphabet with a brand's name of 30: one segment.
_LEFT_TEXT = {
    "en": "{brand}: You are unsubscribed and get no more text messages. Reply START to get them again.",
    "de": "{brand}: Sie sind abgemeldet und erhalten keine SMS mehr. Mit START melden Sie sich wieder an.",
    "fr": "{brand} : vous ne recevez plus de SMS de notre part. Répondez START pour en recevoir de nouveau.",
    "es": "{brand}: su baja vale desde ahora, no le enviamos otros SMS. Responda START para volver a recibirlos.",
    "it": "{brand}: iscrizione annullata, non riceverà altri SMS. Risponda START per riceverli di nuovo.",
    "nl": "{brand}: u bent afgemeld en krijgt geen sms meer. Antwoord START om ze weer te krijgen.",
    "pl": "{brand}: Nie otrzymasz juz od nas SMS-ow. Odpowiedz START, aby znowu je otrzymywac.",
    "pt": "{brand}: Cancelamento feito, sem mais SMS da nossa parte. Responda START para voltar a receber.",
}
_BACK_TEXT = {
    "en": "{brand}: You get text messages again. Reply STOP to end them.",
    "de": "{brand}: Sie erhalten wieder SMS. Mit STOPP melden Sie sich ab.",
}


@dataclass(frozen=True)
class Meaning:
    """What a word wants, and in which language it was said."""

    kind: NewsKind
    language: str


def _known() -> Mapping[str, Meaning]:
    found: dict[str, Meaning] = {}
    for kind, words in ((NewsKind.STOPPED, _STOP), (NewsKind.STARTED, _START), (NewsKind.ASKED, _HELP)):
        for language, named in words.items():
            for one in named:
                found.setdefault(_plain(one), Meaning(kind, language))
    return found


def meaning(text: str) -> Meaning | None:
    """Return what an answer wants; None for any text that is not one of the words, alone or said politely.

    Why so narrow: "when does the offer end" must neither stop nor start anything.
    """
    plain = _plain(text[:200])
    if plain in _WORDS:
        return _WORDS[plain]
    rest = " ".join(part for part in plain.split() if part not in _POLITE)
    return _WORDS.get(rest)


def answer(kind: NewsKind, language: str, brand: str) -> str:
    """Return what is said once to somebody who left or came back; nothing for anything else."""
    texts = {NewsKind.STOPPED: _LEFT_TEXT, NewsKind.STARTED: _BACK_TEXT}.get(kind, {})
    return texts.get(language, texts.get("en", "")).replace("{brand}", brand)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _SIGNS.sub(" ", folded).strip()


_WORDS = _known()
